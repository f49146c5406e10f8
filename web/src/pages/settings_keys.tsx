// SPDX-License-Identifier: Apache-2.0
// Root documents: which keys count, for what, and how many must sign.
import type { List, Root } from "../api";
import {
  Card, Digest, Empty, ErrorBox, Facts, Skeleton,
} from "../components/basics";
import { Icon } from "../components/Icon";
import { count, dateTime } from "../format";
import { useResource } from "../hooks";

const ROLES: Record<string, string> = {
  root: "signs the next root document",
  release: "signs releases and downgrade permits",
  ticket: "signs the answers to devices; online, on this server",
};

type RoleFacts = NonNullable<Root["roles"]>[number];

/** Roles as a list, or as {name: {...}}: both are read. */
function rolesOf(root: Root): RoleFacts[] {
  if (Array.isArray(root.roles)) {
    return root.roles;
  }
  if (root.roles && typeof root.roles === "object") {
    return Object.entries(root.roles as Record<string, Omit<RoleFacts,
      "role">>).map(([role, facts]) => ({ role, ...facts }));
  }
  return [];
}

function RoleRow({ role }: { role: RoleFacts }) {
  return (
    <li class="role">
      <div>
        <b>{role.role}</b>
        <p class="muted">{ROLES[role.role] ?? ""}</p>
      </div>
      <p>{role.threshold} of {count(role.keys.length, "key")}{" "}
        must sign</p>
      <ul class="tags">
        {role.keys.map((key) => (
          <li key={key.kid} class="key-chip">
            <Icon name="key" /><Digest hex={key.kid} n={16} />
            <span class="muted">{key.kind}</span>
          </li>
        ))}
      </ul>
    </li>
  );
}

function RootCard({ root, newest }: { root: Root; newest: boolean }) {
  const when = root.added ?? root.created;
  const digest = root.digest ?? (root.sha256 as string | undefined);
  return (
    <Card title={`Root document ${root.version}`}
      aside={newest ? "in force" : "replaced"}>
      <ul class="roles">
        {rolesOf(root).map((role) => <RoleRow key={role.role} role={role} />)}
      </ul>
      <Facts items={[
        ...(when ? [["Added", dateTime(when)] as [string, string]] : []),
        ...(root.floor !== undefined ? [["Security floor",
          `sequence ${root.floor}: nothing older ever boots again`] as
            [string, string]] : []),
        ...(root.ceiling ? [["Ceiling",
          `sequence ${root.ceiling}: nothing newer is taken`] as
            [string, string]] : []),
        ...(digest ? [["SHA-256", <Digest hex={digest} n={16} />] as
          [string, preact.ComponentChildren]] : []),
      ]} />
    </Card>
  );
}

export function Keys() {
  const { data, error, loading } = useResource<List<Root>>("/roots",
    { on: ["release"] });
  const roots = [...(data?.items ?? [])].sort((a, b) => b.version - a.version);
  return (
    <div class="stack">
      <ErrorBox error={error} />
      {loading && <Skeleton lines={6} />}
      {data && roots.length === 0 && (
        <Card>
          <Empty icon="key" title="No root document yet"
            commands={["bowline publish /srv/bowline/root-1.cbor"]}>
            <p>It says which keys devices believe. Without one nothing can be
              published.</p>
          </Empty>
        </Card>
      )}
      {roots.map((root, i) =>
        <RootCard key={root.version} root={root} newest={i === 0} />)}
    </div>
  );
}
