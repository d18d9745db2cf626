#!/usr/bin/env bash
# Prints the browser engines that can be tested, one per line: its name, the WebDriver server, the browser. For an
# engine that can't, the line has its name, "-" and the reason. FIREFOX and CHROMIUM name other browsers.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

# first PROGRAM...: path of the first program that exists. Not `command -v`, which finds the functions below.
first() {
    local program
    for program in "$@"; do
        if type -P "$program" 2>/dev/null; then return; fi
    done
    return 1
}

# engine NAME DRIVER BROWSER
engine() {
    local driver browser
    if ! browser=$(first "$3"); then
        printf '%s\t-\t%s is not installed\n' "$1" "$3"
    elif ! driver=$(first "$2"); then
        printf '%s\t-\t%s is not installed\n' "$1" "$2"
    else
        printf '%s\t%s\t%s\n' "$1" "$driver" "$browser"
    fi
}

# A Firefox from a snap can't read profiles in the folder of the tests.
firefox() {
    local browser
    browser=$(first ${FIREFOX:+"$FIREFOX"} firefox-esr firefox /Applications/Firefox.app/Contents/MacOS/firefox || true)
    case $(readlink -f "$browser" 2>/dev/null || true) in */snap*) browser='' ;; esac
    engine firefox geckodriver "${browser:-firefox-esr}"
}

# MiniBrowser is a program of WebKitGTK, outside of PATH.
webkit() {
    local browser
    if ! have Xvfb || [ ! -e /usr/share/i18n/locales/en_US ]; then
        printf 'webkit\t-\tXvfb or the source of the locale en_US is not installed\n'
        return
    fi
    browser=$(first /usr/lib/*/webkit2gtk-4.1/MiniBrowser /usr/libexec/webkit2gtk-4.1/MiniBrowser || true)
    engine webkit WebKitWebDriver "${browser:-MiniBrowser}"
}

engine chromium chromedriver "$("$ROOT/scripts/browser.sh" || echo chromium)"
firefox
webkit
