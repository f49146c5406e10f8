// SPDX-License-Identifier: Apache-2.0
import { useState } from "preact/hooks";
import type { List, Role, User } from "../api";
import { api, segment } from "../api";
import {
  Button, Card, Command, ErrorBox, Field, RelativeTime, Skeleton,
} from "../components/basics";
import { Confirm, Dialog } from "../components/Dialog";
import { Menu } from "../components/Menu";
import { Pill } from "../components/Pill";
import { Table, type Column } from "../components/Table";
import { useAction, useResource } from "../hooks";
import { useSession } from "../session";

export const ROLES: [Role, string][] = [
  ["viewer", "sees everything"],
  ["approver", "and approves, denies, pauses"],
  ["operator", "runs rollouts, registers devices, publishes"],
  ["admin", "and manages users, tokens and settings"],
];

export const NAME = "[a-z0-9][a-z0-9._@\\-]{0,62}";
export const NAME_RULE = "Lower-case letters, digits, and . _ @ - within";

export function RoleSelect({ id, value, onChange }:
  { id: string; value: Role; onChange: (role: Role) => void }) {
  return (
    <select id={id} value={value}
      onChange={(e) => onChange(e.currentTarget.value as Role)}>
      {ROLES.map(([role, what]) =>
        <option key={role} value={role}>{role}: {what}</option>)}
    </select>
  );
}

interface Code {
  code: string;
  expires: number;
}

const loginLink = (code: string): string =>
  `${window.location.origin}/#/login?code=${encodeURIComponent(code)}`;

/** Shown once: whoever has it is that user. */
function LinkShown({ name, code, onClose }:
  { name: string; code: Code; onClose: () => void }) {
  return (
    <Dialog title={`A link for ${name}`} onClose={onClose} wide>
      <p>It signs {name} in once, <RelativeTime time={code.expires} /> at the
        latest. Send it where only {name} reads it.</p>
      <Command text={loginLink(code.code)} />
      <footer><Button kind="primary" onClick={onClose}>Done</Button></footer>
    </Dialog>
  );
}

function NewUser({ onClose, made }:
  { onClose: () => void; made: (name: string, code: Code) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [busy, run] = useAction();
  const add = () => run(async () => {
    await api.post("/users", { name, role });
    made(name, await api.post<Code>(`/users/${segment(name)}/login-code`));
  });
  return (
    <Dialog title="A new user" onClose={onClose}>
      <form class="form" onSubmit={(e) => {
        e.preventDefault();
        void add();
      }}>
        <Field label="Name" for="user-name">
          <input id="user-name" required maxLength={63} autocomplete="off"
            autocapitalize="none" spellcheck={false} pattern={NAME}
            title={NAME_RULE} value={name}
            onInput={(e) => setName(e.currentTarget.value)} />
        </Field>
        <Field label="Role" for="user-role">
          <RoleSelect id="user-role" value={role} onChange={setRole} />
        </Field>
        <p class="hint">No password is made here: you get a link that signs the
          user in once, to choose one.</p>
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>Add user</Button>
        </footer>
      </form>
    </Dialog>
  );
}

export function Users() {
  const { session } = useSession();
  const { data, error, loading, reload } = useResource<List<User>>(
    "/users?limit=1000", { on: ["session", "audit"] });
  const [adding, setAdding] = useState(false);
  const [link, setLink] = useState<{ name: string; code: Code } | null>(null);
  const [removing, setRemoving] = useState<User | null>(null);
  const [, run] = useAction();
  const change = async (user: User, body: object, done: string) => {
    await run(() => api.patch(`/users/${segment(user.name)}`, body), done);
    reload();
  };
  const makeLink = (user: User) => run(async () => setLink({
    name: user.name,
    code: await api.post<Code>(`/users/${segment(user.name)}/login-code`),
  }));
  const columns: Column<User>[] = [
    { key: "name", title: "Name", main: true, cell: (u) => <>{u.name}{" "}
      {u.name === session.name && <span class="tag">you</span>}</> },
    { key: "role", title: "Role", cell: (u) => u.role },
    { key: "state", title: "State", cell: (u) => u.disabled
      ? <Pill state="aborted" word="disabled" />
      : <Pill state="confirmed" word="active" /> },
    { key: "last_login", title: "Last signed in",
      cell: (u) => <RelativeTime time={u.last_login} /> },
    { key: "actions", title: "", right: true, shrink: true, wide: true,
      cell: (u) => (
      <Menu icon="more" label={`Actions for ${u.name}`} quiet floating>
        {(close) => {
          const item = (text: string, act: () => void) => (
            <button type="button" class="menu-item" onClick={() => {
              close();
              act();
            }}>{text}</button>
          );
          return (
            <>
              {item("Make a sign-in link", () => void makeLink(u))}
              {ROLES.filter(([role]) => role !== u.role).map(([role]) =>
                u.name !== session.name && item(`Make ${role}`,
                  () => void change(u, { role }, `${u.name} is ${role}`)))}
              {u.name !== session.name && item(
                u.disabled ? "Enable" : "Disable", () => void change(u,
                  { disabled: !u.disabled },
                  `${u.name} is ${u.disabled ? "enabled" : "disabled"}`))}
              {u.name !== session.name && item("Remove",
                () => setRemoving(u))}
            </>
          );
        }}
      </Menu>
    ) },
  ];
  return (
    <Card flush title="Users" aside={
      <Button small icon="plus" onClick={() => setAdding(true)}>New user
      </Button>
    }>
      <ErrorBox error={error} retry={reload} />
      {loading && <div class="pad"><Skeleton /></div>}
      {data && <Table label="Users" rows={data.items} columns={columns}
        rowKey={(u) => u.name} />}
      {adding && <NewUser onClose={() => setAdding(false)}
        made={(name, code) => {
          setAdding(false);
          setLink({ name, code });
          reload();
        }} />}
      {link && <LinkShown {...link} onClose={() => setLink(null)} />}
      {removing && (
        <Confirm title={`Remove ${removing.name}`} button="Remove" danger
          done={`${removing.name} is removed`}
          onClose={() => setRemoving(null)}
          work={async () => {
            await api.remove(`/users/${segment(removing.name)}`);
            reload();
          }}>
          <p class="touches">Sessions of {removing.name} end at once. What they
            did stays in the audit log.</p>
        </Confirm>
      )}
    </Card>
  );
}
