// SPDX-License-Identifier: Apache-2.0
// The own password: asked for after a first sign-in by a one-time code, and
// in the settings.
import { useState } from "preact/hooks";
import { api, segment, type User } from "../api";
import { Button, Card, Field } from "../components/basics";
import { useAction } from "../hooks";
import { useSession } from "../session";

const LEAST = 12;

export function PasswordForm({ first }: { first?: boolean }) {
  const { session, update } = useSession();
  const [old, setOld] = useState("");
  const [one, setOne] = useState("");
  const [two, setTwo] = useState("");
  const [busy, run] = useAction();
  const differs = two !== "" && one !== two;
  const tooShort = one !== "" && one.length < LEAST;
  const save = async () => {
    const body = first ? { password: one }
      : { password: one, old_password: old };
    await run(async () => {
      const user = await api.patch<User>(
        `/users/${segment(session.name)}`, body);
      setOld("");
      setOne("");
      setTwo("");
      // Other sessions have ended; this one goes on under a new cookie.
      update({ ...session, csrf: user.csrf ?? session.csrf,
        must_set_password: false });
    }, "The password is set");
  };
  return (
    <form class="form" onSubmit={(e) => {
      e.preventDefault();
      void save();
    }}>
      {/* For password managers: whose password this is. */}
      <input class="sr-only" type="text" autocomplete="username" tabIndex={-1}
        aria-hidden="true" readOnly value={session.name} />
      {!first && (
        <Field label="Present password" for="password-old">
          <input id="password-old" type="password" required value={old}
            autocomplete="current-password"
            onInput={(e) => setOld(e.currentTarget.value)} />
        </Field>
      )}
      <Field label="New password" for="password-one"
        hint={`At least ${LEAST} characters; a sentence is good.`}
        error={tooShort ? `${LEAST - one.length} more are needed.` : null}>
        <input id="password-one" type="password" required value={one}
          autocomplete="new-password"
          onInput={(e) => setOne(e.currentTarget.value)} />
      </Field>
      <Field label="The same again" for="password-two"
        error={differs ? "The two differ." : null}>
        <input id="password-two" type="password" required value={two}
          autocomplete="new-password"
          onInput={(e) => setTwo(e.currentTarget.value)} />
      </Field>
      <Button type="submit" kind="primary" busy={busy}
        disabled={one.length < LEAST || one !== two}>Set password</Button>
    </form>
  );
}

export function NewPassword() {
  const { session, passwordLater } = useSession();
  return (
    <div class="narrow">
      <Card title={`Welcome, ${session.name}`}>
        <div class="form-stack">
          <p>Choose a password: the one-time link works only once.</p>
          <PasswordForm first />
          <div class="not-now">
            <Button kind="quiet" onClick={passwordLater}>Not now</Button>
            <span class="hint">Without a password, your next sign-in needs a
              new one-time code. You can set one in the settings.</span>
          </div>
        </div>
      </Card>
    </div>
  );
}
