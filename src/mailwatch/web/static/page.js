// What every page loads.  Pages read well without it; with it they act, and stay up to date.
import { watchTimes } from "./times.js";
import { offerMenus } from "./menu.js";
import { offerTheme } from "./theme.js";
import { offerFilter } from "./filter.js";
import { offerActs } from "./acts.js";
import { offerBulk } from "./bulk.js";
import { offerCampaigns } from "./campaigns.js";
import { offerSettings } from "./settings.js";
import { offerIncidents } from "./incidents.js";
import { offerWindows } from "./windows.js";
import { follow } from "./live.js";
import { greet } from "./toast.js";

document.documentElement.dataset.script = "on";
watchTimes();
offerTheme();
offerMenus();
offerFilter();
offerActs();
offerBulk();
offerCampaigns();
offerSettings();
offerIncidents();
offerWindows();
follow();
greet();
