// Loads uPlot when the first chart becomes visible, and saves files.

const BASE = document.documentElement.dataset.base ?? "";
const LIBRARY = `${BASE}/vendor/uplot-1.6.32.js`;
const STYLES = `${BASE}/vendor/uplot-1.6.32.css`;
const FALLBACK_LOCALE = "en-US";

let loading;
function load() {
  loading ??= Promise.all([styles(), module()])
    .then(([, uPlot]) => uPlot)
    .catch((error) => {
      loading = undefined;
      throw error;
    });
  return loading;
}

function styles() {
  return new Promise((done, failed) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = STYLES;
    link.onload = done;
    link.onerror = failed;
    document.head.append(link);
  });
}

// On load, uPlot creates a number format for the browser's language. Some browsers report an invalid tag ("C" with
// LANG=C), which throws. While uPlot loads, invalid tags are replaced by the fallback.
async function module() {
  const { NumberFormat } = Intl;
  Intl.NumberFormat = function (locales, options) {
    return new NumberFormat(isValid(locales) ? locales : FALLBACK_LOCALE, options);
  };
  try {
    return (await import(LIBRARY)).default;
  } finally {
    Intl.NumberFormat = NumberFormat;
  }
}

function isValid(locales) {
  try {
    Intl.getCanonicalLocales(locales);
    return true;
  } catch {
    return false;
  }
}

/** Saves a blob as a file. */
function save(file, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveText(file, type, text) {
  save(file, new Blob([text], { type: `${type};charset=utf-8` }));
}

/** Functions passed to a chart. */
export function library() {
  return { load, save };
}
