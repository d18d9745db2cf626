// Loads uPlot when the first chart comes into sight, and hands files to the person.

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

// As it starts, uPlot makes a number format for the language of the browser. Some browsers name a language that is no
// valid tag ("C", of LANG=C), which throws. While uPlot starts, such a tag means the fallback.
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

/** Hands something to the person as a file. */
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

/** What a chart is drawn with, and saved by. */
export function library() {
  return { load, save };
}
