// SPDX-License-Identifier: Apache-2.0
// Signing in: name and password, or a one-time code. The code comes in the
// address behind the # (#/login?code=...), which browsers never send.
import { useEffect, useState } from "preact/hooks";
import { api, ApiError, type Session } from "../api";
import { Button, Field } from "../components/basics";
import { Icon } from "../components/Icon";
import { sentence, shortDuration } from "../format";
import { go, readRoute } from "../router";

function explain(fault: ApiError): string {
  if (fault.status === 429 && fault.retryAfter) {
    return `Too many tries. Wait ${shortDuration(fault.retryAfter)}, then try ` +
      "again.";
  }
  return sentence(fault.message);
}

/** Takes the code out of the address, so that it is in no history. */
function takeCode(): string {
  const { parts, query } = readRoute();
  const code = parts[0] === "login" ? query.get("code") ?? "" : "";
  if (code) {
    window.history.replaceState(null, "", "#/login");
  }
  return code;
}

export function Login({ signedIn }:
  { signedIn: (session: Session) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const enter = async (body: object) => {
    setBusy(true);
    setError(null);
    try {
      const session = await api.post<Session>("/session", body);
      if (readRoute().parts[0] === "login") {
        go("fleet");
      }
      signedIn(session);
    } catch (fault) {
      setPassword("");
      setError(fault instanceof ApiError ? explain(fault) : String(fault));
      setBusy(false);
    }
  };

  useEffect(() => {
    document.title = "Sign in · Bowline";
    const tryCode = () => {
      const code = takeCode();
      if (code) {
        void enter({ code });
      }
    };
    tryCode();
    window.addEventListener("hashchange", tryCode);
    return () => window.removeEventListener("hashchange", tryCode);
  }, []);

  return (
    <main class="login">
      <form class="login-box" onSubmit={(e) => {
        e.preventDefault();
        void enter({ name, password });
      }}>
        <div class="login-brand"><Icon name="knot" /><h1>Bowline</h1></div>
        <p class="muted">Firmware for the fleet of {window.location.hostname}
        </p>
        {error && (
          <div class="error-box" role="alert">
            <Icon name="alert" /><div><p>{error}</p></div>
          </div>
        )}
        <Field label="Name" for="login-name">
          <input id="login-name" name="username" autocomplete="username"
            autocapitalize="none" spellcheck={false} required value={name}
            onInput={(e) => setName(e.currentTarget.value)} />
        </Field>
        <Field label="Password" for="login-password">
          <input id="login-password" name="password" type="password"
            autocomplete="current-password" required value={password}
            onInput={(e) => setPassword(e.currentTarget.value)} />
        </Field>
        <Button type="submit" kind="primary" busy={busy}>Sign in</Button>
        <p class="hint">
          No password yet? Somebody with access to the server makes a one-time
          link: <code>bowline login-code NAME</code>
        </p>
      </form>
    </main>
  );
}
