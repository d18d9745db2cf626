//! HTML document around the app, rendered on the server.

use crate::app::App;
use any_spawner::Executor;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};
use live::base;
use live::identity::Reader;

/// Applies theme, sidebar, zone and key settings before the first paint, and hides hints that were shown before. A page
/// opened outside of its base path (bypassing the proxy) is redirected into it.
const BEFORE_PAINT: &str = r#"(function(){var d=document.documentElement,b=d.getAttribute("data-base")||"",l=location;if(b&&l.pathname!==b&&l.pathname.indexOf(b+"/")!==0)l.replace(b+l.pathname+l.search+l.hash);try{["theme","rail","zone","keys","density","hints"].forEach(function(k){var v=localStorage.getItem("signalbox."+k);if(v)d.setAttribute("data-"+k,v)})}catch(e){}})()"#;

/// A page whose script crashed or failed to load must not look live: shows the banner, and CSS hides "Live".
const WHEN_IT_BREAKS: &str = r#"(function(){function look(e){var r=e.reason||e.error||{};if(r instanceof WebAssembly.RuntimeError||r instanceof WebAssembly.CompileError||/module script|imported module|WebAssembly/.test(r.message||"")){document.documentElement.setAttribute("data-broken","");var b=document.getElementById("broken");if(b)b.hidden=false}}addEventListener("error",look);addEventListener("unhandledrejection",look)})()"#;

/// The document: head, styles, scripts with the nonce of the response, and the app.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    // Requests of pages run on tokio. Only the first call has an effect.
    let _ = Executor::init_tokio();
    let reader = use_context::<Reader>().map(|reader| reader.attribute());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-base=base::path() data-me=reader>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="description" content="Start, watch and cancel long-running operations."/>
                <link rel="icon" id="icon" href=base::url("/favicon.svg") type="image/svg+xml"/>
                <script nonce=use_nonce() inner_html=BEFORE_PAINT></script>
                <script nonce=use_nonce() inner_html=WHEN_IT_BREAKS></script>
                <HashedStylesheet options=options.clone() id="leptos" root=base::path()/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options root=base::path()/>
                <MetaTags/>
            </head>
            <body>
                <App/>
                <div id="broken" class="broken" role="alert" hidden>
                    <p>
                        <strong>"The page crashed."</strong>
                        " A part of the page failed or could not be loaded, so the page no longer updates. Operations continue."
                    </p>
                    <a class="button" href="" rel="external">
                        "Reload"
                    </a>
                </div>
            </body>
        </html>
    }
}
