//! The browser's part of what tabs share: one lock and one channel, of the same name. Decides nothing.
//!
//! The lock is asked for by reflection: its bindings are not among the stable ones.

use super::frame::Frame;
use crate::base;
use js_sys::{Function, Object, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, BroadcastChannel, MessageEvent};

/// What the lock and the channel are called. Give it a new number whenever the frames change: a tab that was
/// opened before an update can't read those of one that was opened after it. The base path is added to it.
const NAME: &str = "signalbox-feed";

/// Lock and channel.
pub struct Tabs {
    locks: JsValue,
    channel: BroadcastChannel,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

/// What became of a wish for the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Granted,
    /// It was ours, and another took it.
    Taken,
    /// It is not to be had.
    Refused,
}

/// A wish for the lock, or the lock itself.
pub struct Request {
    wish: Rc<Wish>,
    abort: Option<AbortController>,
}

#[derive(Default)]
struct Wish {
    /// Nobody wants to hear of it any more.
    over: Cell<bool>,
    /// Gives the lock back; there as long as it is held.
    release: RefCell<Option<Function>>,
}

impl Tabs {
    /// Opens the channel; `heard` gets what other tabs say. Nothing where the browser lacks either of the two:
    /// locks are only there for pages from a secure address (HTTPS, or this machine).
    pub fn open(heard: impl Fn(Frame) + 'static) -> Option<Self> {
        let navigator = web_sys::window()?.navigator();
        let locks = Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)?;
        let channel = BroadcastChannel::new(&base::scoped(NAME)).ok()?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            if let Some(frame) = message.data().as_string().and_then(|text| Frame::read(&text)) {
                heard(frame);
            }
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Self { locks, channel, _on_message: on_message })
    }

    /// Says something to all other tabs.
    pub fn say(&self, frame: &Frame) {
        // It fails only on a channel that is closed.
        let _ = self.channel.post_message(&frame.to_text().into());
    }

    /// Stands in line for the lock, or takes it from whoever has it. `told` hears of it later, never at once.
    pub fn ask(&self, steal: bool, told: impl Fn(Answer) + 'static) -> Request {
        let wish = Rc::new(Wish::default());
        let told = Rc::new(told);
        // Who takes the lock does not wait: there is nothing to break off, and the browser allows no signal.
        let abort = if steal { None } else { AbortController::new().ok() };
        let promise = self.request(steal, abort.as_ref(), &wish, &told);
        spawn_local({
            let wish = wish.clone();
            async move {
                // It ends when the lock is given back or taken away, or was not to be had.
                if let Ok(promise) = promise {
                    let _ = JsFuture::from(promise).await;
                }
                if !wish.over.replace(true) {
                    let held = wish.release.take().is_some();
                    told(if held { Answer::Taken } else { Answer::Refused });
                }
            }
        });
        Request { wish, abort }
    }

    fn request(
        &self,
        steal: bool,
        abort: Option<&AbortController>,
        wish: &Rc<Wish>,
        told: &Rc<impl Fn(Answer) + 'static>,
    ) -> Result<Promise, JsValue> {
        let options = Object::new();
        match abort {
            Some(abort) => Reflect::set(&options, &"signal".into(), &abort.signal())?,
            None => Reflect::set(&options, &"steal".into(), &steal.into())?,
        };
        let (wish, told) = (wish.clone(), told.clone());
        // The lock is held until the promise that this returns is kept.
        let held = Closure::once_into_js(move |_lock: JsValue| {
            if wish.over.get() {
                return JsValue::UNDEFINED;
            }
            let promise = Promise::new(&mut |resolve, _| {
                wish.release.replace(Some(resolve));
            });
            told(Answer::Granted);
            promise.into()
        });
        let request: Function = Reflect::get(&self.locks, &"request".into())?.dyn_into()?;
        request.call3(&self.locks, &base::scoped(NAME).into(), &options, &held)?.dyn_into()
    }
}

impl Drop for Request {
    /// Gives the lock back, or leaves the line.
    fn drop(&mut self) {
        if self.wish.over.replace(true) {
            return;
        }
        match (self.wish.release.take(), &self.abort) {
            (Some(release), _) => {
                let _ = release.call0(&JsValue::UNDEFINED);
            }
            (None, Some(abort)) => abort.abort(),
            (None, None) => {}
        }
    }
}
