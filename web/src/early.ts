// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint: the chosen theme, so that nothing flashes.
import { applyTheme } from "./theme";

applyTheme();
