// SPDX-License-Identifier: Apache-2.0
import { useState } from "preact/hooks";
import { useSession } from "../session";
import { chooseTheme, chosenTheme, type Theme } from "../theme";
import { Segmented } from "./basics";
import { Icon } from "./Icon";
import { Menu } from "./Menu";

export function ThemeChoice({ name }: { name: string }) {
  const [theme, setTheme] = useState<Theme>(chosenTheme());
  return (
    <Segmented<Theme> name={name} legend="Theme" value={theme}
      choices={[
        { value: "system", label: <><Icon name="screen" />System</> },
        { value: "light", label: <><Icon name="sun" />Light</> },
        { value: "dark", label: <><Icon name="moon" />Dark</> },
      ]}
      onChange={(next) => {
        chooseTheme(next);
        setTheme(next);
      }} />
  );
}

export function PersonMenu() {
  const { session, signOut } = useSession();
  return (
    <Menu icon="user" text={session.name} quiet up>
      {(close) => (
        <>
          <p class="menu-head"><b>{session.name}</b>
            <span class="muted">{session.role}</span></p>
          <ThemeChoice name="menu-theme" />
          <a class="menu-item" href="#/settings/account" onClick={close}>
            <Icon name="key" />Password and account</a>
          <button type="button" class="menu-item"
            onClick={() => void signOut()}>
            <Icon name="out" />Sign out</button>
        </>
      )}
    </Menu>
  );
}
