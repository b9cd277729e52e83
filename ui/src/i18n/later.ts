import later from "virtual:sentences/later";

import { bring } from "./index.svelte";

bring(later);
