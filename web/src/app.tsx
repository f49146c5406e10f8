// SPDX-License-Identifier: Apache-2.0
// The frame of every page: navigation, connection, person; and the table of
// pages.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Icon, type IconName } from "./components/Icon";
import { LiveMark } from "./components/LiveMark";
import { PersonMenu } from "./components/PersonMenu";
import { Toasts } from "./components/Toast";
import { Empty } from "./components/basics";
import { Audit } from "./pages/audit";
import { DevicePage } from "./pages/device";
import { Devices } from "./pages/devices";
import { FleetPage } from "./pages/fleet";
import { Login } from "./pages/login";
import { NewPassword } from "./pages/new_password";
import { NewRollout } from "./pages/new_rollout";
import { ReleasePage } from "./pages/release";
import { Releases } from "./pages/releases";
import { RolloutPage } from "./pages/rollout";
import { Rollouts } from "./pages/rollouts";
import { Settings } from "./pages/settings";
import { useRoute, type Route } from "./router";
import { SessionGate, useSession } from "./session";

const PLACES: { part: string; title: string; icon: IconName }[] = [
  { part: "fleet", title: "Fleet", icon: "fleet" },
  { part: "rollouts", title: "Rollouts", icon: "rollouts" },
  { part: "devices", title: "Devices", icon: "devices" },
  { part: "releases", title: "Releases", icon: "releases" },
  { part: "audit", title: "Audit", icon: "audit" },
  { part: "settings", title: "Settings", icon: "settings" },
];

/** key: another address of the same kind is another page. */
function pageOf(route: Route): ComponentChildren {
  const [place = "fleet", part] = route.parts;
  const key = route.parts.join("/");
  switch (place) {
    case "fleet":
    case "login":
      return <FleetPage key={key} />;
    case "rollouts":
      return part === undefined ? <Rollouts key={key} route={route} />
        : part === "new" ? <NewRollout key={key} route={route} />
        : <RolloutPage key={key} id={part} route={route} />;
    case "devices":
      return part === undefined ? <Devices key={key} route={route} />
        : <DevicePage key={key} id={part} />;
    case "releases":
      return part === undefined ? <Releases key={key} route={route} />
        : <ReleasePage key={key} manifest={part} />;
    case "audit":
      return <Audit key={key} route={route} />;
    case "settings":
      return <Settings key={key} part={part ?? "about"} />;
    default:
      return (
        <Empty title="There is no such page" icon="search">
          <a href="#/fleet">To the fleet</a>
        </Empty>
      );
  }
}

function titleOf(route: Route): string {
  const place = PLACES.find((p) => p.part === route.parts[0]);
  return `${place?.title ?? "Fleet"} · Bowline`;
}

function Navigation({ place }: { place: string }) {
  return (
    <nav class="nav" aria-label="Pages">
      {PLACES.map(({ part, title, icon }) => (
        <a key={part} href={`#/${part}`}
          aria-current={part === place ? "page" : undefined}>
          <Icon name={icon} />
          <span>{title}</span>
        </a>
      ))}
    </nav>
  );
}

function Frame() {
  const route = useRoute();
  const { asksPassword } = useSession();
  const place = route.parts[0] ?? "fleet";
  useEffect(() => {
    document.title = titleOf(route);
    window.scrollTo(0, 0);
  }, [route.parts.join("/")]);
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(e) => {
        e.preventDefault(); // the address is the page's
        document.getElementById("main")?.focus();
      }}>To the content</a>
      <header class="side">
        <a class="brand" href="#/fleet" aria-label="Bowline, to the fleet">
          <Icon name="knot" /><span>Bowline</span>
        </a>
        <Navigation place={place === "login" ? "fleet" : place} />
        <div class="side-end">
          <LiveMark />
          <PersonMenu />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {asksPassword ? <NewPassword /> : pageOf(route)}
      </main>
    </div>
  );
}

function Waiting({ lost }: { lost: boolean }) {
  return (
    <div class="waiting" role="status">
      <Icon name="knot" />
      {lost && <p>The server cannot be reached. Trying again…</p>}
    </div>
  );
}

export function App() {
  return (
    <>
      <SessionGate login={(signedIn) => <Login signedIn={signedIn} />}
        waiting={(lost) => <Waiting lost={lost} />}>
        <Frame />
      </SessionGate>
      <Toasts />
    </>
  );
}
