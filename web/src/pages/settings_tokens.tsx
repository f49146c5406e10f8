// SPDX-License-Identifier: Apache-2.0
// Tokens: for programs, as a CI job that publishes releases.
import { useState } from "preact/hooks";
import type { List, Role, Token } from "../api";
import { api, segment } from "../api";
import {
  Button, Card, Check, Command, Empty, ErrorBox, Field, RelativeTime, Skeleton,
} from "../components/basics";
import { Confirm, Dialog } from "../components/Dialog";
import { Table, type Column } from "../components/Table";
import { useAction, useResource } from "../hooks";
import { NAME, NAME_RULE, RoleSelect } from "./settings_users";

const SCOPES: [string, string][] = [
  ["read", "read everything"],
  ["publish", "payloads, releases, root documents"],
  ["rollout", "make and steer rollouts"],
  ["device", "register, change and remove devices"],
  ["admin", "users, tokens, settings"],
];
const TIMES: [string, number][] = [
  ["30 days", 30], ["90 days", 90], ["1 year", 365], ["never", 0],
];

function NewToken({ onClose, made }:
  { onClose: () => void; made: (token: string) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const [scopes, setScopes] = useState<string[]>(["publish"]);
  const [days, setDays] = useState(90);
  const [busy, run] = useAction();
  const add = () => run(async () => {
    const expires = days === 0 ? null
      : Math.floor(Date.now() / 1000) + days * 86_400;
    const said = await api.post<{ token: string }>("/tokens", {
      name, role, scopes, expires,
    });
    made(said.token);
  });
  return (
    <Dialog title="A new token" onClose={onClose}>
      <form class="form" onSubmit={(e) => {
        e.preventDefault();
        void add();
      }}>
        <Field label="Name" for="token-name" hint="What uses it: ci-publish">
          <input id="token-name" required maxLength={63} autocomplete="off"
            pattern={NAME} title={NAME_RULE} value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </Field>
        <Field label="Role" for="token-role">
          <RoleSelect id="token-role" value={role} onChange={setRole} />
        </Field>
        <fieldset class="field">
          <legend class="label">Only for (none: all of the role)</legend>
          {SCOPES.map(([scope, what]) => (
            <Check key={scope} id={`scope-${scope}`}
              checked={scopes.includes(scope)}
              onChange={(on) => setScopes(on ? [...scopes, scope]
                : scopes.filter((s) => s !== scope))}>
              <code>{scope}</code> <span class="muted">{what}</span>
            </Check>
          ))}
        </fieldset>
        <Field label="Expires" for="token-days">
          <select id="token-days" value={days}
            onChange={(e) => setDays(Number(e.currentTarget.value))}>
            {TIMES.map(([text, n]) =>
              <option key={n} value={n}>{text}</option>)}
          </select>
        </Field>
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>Make token</Button>
        </footer>
      </form>
    </Dialog>
  );
}

export function Tokens() {
  const { data, error, loading, reload } = useResource<List<Token>>(
    "/tokens?limit=1000", { on: ["audit"] });
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const [removing, setRemoving] = useState<Token | null>(null);
  const columns: Column<Token>[] = [
    { key: "name", title: "Name", main: true, cell: (t) => t.name },
    { key: "role", title: "Role", cell: (t) => t.role },
    { key: "scopes", title: "Only for", cell: (t) => t.scopes.length === 0
      ? <span class="muted">all</span>
      : <span class="tags">{t.scopes.map((s) =>
          <span class="tag" key={s}>{s}</span>)}</span> },
    { key: "expires", title: "Expires", cell: (t) => t.expires
      ? <RelativeTime time={t.expires} /> : <span class="muted">never</span> },
    { key: "last_use", title: "Last used",
      cell: (t) => <RelativeTime time={t.last_use} /> },
    { key: "actions", title: "", right: true, shrink: true, wide: true,
      cell: (t) => (
      <Button small kind="quiet" icon="trash" label={`Revoke ${t.name}`}
        onClick={() => setRemoving(t)} />
    ) },
  ];
  return (
    <Card flush title="Tokens" aside={
      <Button small icon="plus" onClick={() => setAdding(true)}>New token
      </Button>
    }>
      <ErrorBox error={error} retry={reload} />
      {loading && <div class="pad"><Skeleton /></div>}
      {data && data.items.length === 0 && (
        <Empty icon="key" title="No tokens"><p>Programs sign in with a token
          instead of a password: a CI job that publishes, a monitor that
          reads.</p></Empty>
      )}
      {data && data.items.length > 0 && <Table label="Tokens" rows={data.items}
        columns={columns} rowKey={(t) => t.id} />}
      {adding && <NewToken onClose={() => setAdding(false)} made={(token) => {
        setAdding(false);
        setMade(token);
        reload();
      }} />}
      {made && (
        <Dialog title="The new token" onClose={() => setMade(null)} wide>
          <p>It is shown this once: put it into a file of mode 0600, or into
            your CI's secrets.</p>
          <Command text={made} />
          <footer><Button kind="primary" onClick={() => setMade(null)}>Done
          </Button></footer>
        </Dialog>
      )}
      {removing && (
        <Confirm title={`Revoke ${removing.name}`} button="Revoke" danger
          done={`${removing.name} is revoked`}
          onClose={() => setRemoving(null)} work={async () => {
            await api.remove(`/tokens/${segment(removing.id)}`);
            reload();
          }}>
          <p class="touches">Whatever uses it is refused from now on.</p>
        </Confirm>
      )}
    </Card>
  );
}
