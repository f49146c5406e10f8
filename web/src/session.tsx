// SPDX-License-Identifier: Apache-2.0
// Who is signed in, for every page: roles decide which buttons there are (the
// server decides again).
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { api, ApiError, useSession as giveCsrf, whenSignedOut } from "./api";
import type { Role, Session } from "./api";
import { liveStart, liveStop, subscribe } from "./live";

interface SessionState {
  session: Session;
  update: (session: Session | null) => void;
  signOut: () => Promise<void>;
  /** Should the page for the first password be shown? */
  asksPassword: boolean;
  passwordLater: () => void;
}

/** "Not now" holds until this tab's session ends. */
const LATER = "bowline.password-later";

const Context = createContext<SessionState | null>(null);

export function useSession(): SessionState {
  const state = useContext(Context);
  if (!state) {
    throw new Error("outside of a session");
  }
  return state;
}

/** May this person do what such a role may? */
export function useMay(): {
  operate: boolean; approve: boolean; admin: boolean;
} {
  const role: Role = useSession().session.role;
  return {
    operate: role === "operator" || role === "admin",
    approve: role !== "viewer",
    admin: role === "admin",
  };
}

type Looking = "looking" | "none" | "lost";

interface Props {
  children: ComponentChildren;
  login: (signedIn: (session: Session) => void) => ComponentChildren;
  waiting: (lost: boolean) => ComponentChildren;
}

export function SessionGate({ children, login, waiting }: Props) {
  const [session, setSession] = useState<Session | null>(null);
  const [looking, setLooking] = useState<Looking>("looking");
  const [later, setLater] = useState(
    window.sessionStorage.getItem(LATER) !== null);

  const update = (next: Session | null) => {
    giveCsrf(next);
    setSession(next);
    if (next) {
      liveStart();
    } else {
      liveStop();
      window.sessionStorage.removeItem(LATER);
      setLater(false);
      setLooking("none");
    }
  };

  useEffect(() => {
    whenSignedOut(() => update(null));
    let timer = 0;
    const ask = () => {
      api.get<Session>("/session").then(update, (fault: unknown) => {
        const away = !(fault instanceof ApiError) || fault.status === 0 ||
          fault.status >= 500;
        setLooking(away ? "lost" : "none");
        if (away) {
          timer = window.setTimeout(ask, 3000);
        }
      });
    };
    ask();
    return () => window.clearTimeout(timer);
  }, []);

  // A changed role, or the end of the session, made elsewhere.
  useEffect(() => session === null ? undefined : subscribe((notice) => {
    if (notice.topic === "session") {
      api.get<Session>("/session").then(
        (now) => {
          giveCsrf({ ...now, csrf: now.csrf ?? session.csrf });
          setSession(now);
        },
        (fault: unknown) => {
          if (fault instanceof ApiError && fault.status === 401) {
            update(null);
          }
        });
    }
  }), [session]);

  if (!session) {
    return <>{looking === "none" ? login(update) : waiting(looking === "lost")}
    </>;
  }
  const signOut = async () => {
    await api.remove("/session").catch(() => undefined);
    update(null);
  };
  const passwordLater = () => {
    window.sessionStorage.setItem(LATER, "1");
    setLater(true);
  };
  const asksPassword = session.must_set_password === true && !later;
  return (
    <Context.Provider
      value={{ session, update, signOut, asksPassword, passwordLater }}>
      {children}
    </Context.Provider>
  );
}
