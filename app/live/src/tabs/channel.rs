//! Browser APIs shared by tabs: one Web Lock and one BroadcastChannel of the same name. Makes no decisions.
//!
//! The lock is accessed by reflection, because its bindings are unstable in web-sys.

use super::frame::Frame;
use crate::base;
use js_sys::{Array, Function, Object, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, BroadcastChannel, MessageEvent};

/// Name of lock and channel. Add a new number when the frames change: tabs opened before and after an update can't read
/// each other's frames. The base path and the user's name are appended.
const NAME: &str = "signalbox-feed";

/// Lock and channel.
pub struct Tabs {
    /// Name of both.
    name: JsValue,
    locks: JsValue,
    channel: BroadcastChannel,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

/// Result of a lock request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Granted,
    /// We held it, and another tab stole it.
    Effects,
    /// Not available.
    Refused,
}

/// A lock request, or the held lock.
pub struct Request {
    request: Rc<LockRequest>,
    abort: Option<AbortController>,
}

#[derive(Default)]
struct LockRequest {
    /// The caller is no longer interested.
    over: Cell<bool>,
    /// Releases the lock; present while it is held.
    release: RefCell<Option<Function>>,
}

impl Tabs {
    /// Opens the channel; `on_frame` receives the frames of the user's other tabs: each user has a connection of its
    /// own. `None` where lock or channel is missing: locks need a secure origin (HTTPS or localhost).
    pub fn open(user: Option<String>, on_frame: impl Fn(Frame) + 'static) -> Option<Self> {
        let navigator = web_sys::window()?.navigator();
        let locks = Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)?;
        let name = user.map_or_else(|| NAME.to_owned(), |user| format!("{NAME}:{user}"));
        let name = base::scoped(&name);
        let channel = BroadcastChannel::new(&name).ok()?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            if let Some(frame) = message.data().as_string().and_then(|text| Frame::read(&text)) {
                on_frame(frame);
            }
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Self { name: name.into(), locks, channel, _on_message: on_message })
    }

    /// Sends a frame to all other tabs.
    pub fn send(&self, frame: &Frame) {
        // Fails only on a closed channel.
        let _ = self.channel.post_message(&frame.to_text().into());
    }

    /// Whether other tabs are in the queue for the lock, passed to `on_answer` later. Not called where the browser does
    /// not tell.
    pub fn ask_waiting(&self, on_answer: impl FnOnce(bool) + 'static) {
        let promise = Reflect::get(&self.locks, &"query".into())
            .and_then(|query| query.dyn_into::<Function>()?.call0(&self.locks))
            .and_then(|promise| promise.dyn_into::<Promise>());
        let Ok(promise) = promise else { return };
        let name = self.name.clone();
        spawn_local(async move {
            let Ok(state) = JsFuture::from(promise).await else { return };
            let Ok(pending) = Reflect::get(&state, &"pending".into()) else { return };
            let same = |request: JsValue| Reflect::get(&request, &"name".into()).is_ok_and(|of| of == name);
            on_answer(Array::from(&pending).iter().any(same));
        });
    }

    /// Queues for the lock, or steals it. `on_answer` is called later, never synchronously.
    pub fn ask(&self, steal: bool, on_answer: impl Fn(Answer) + 'static) -> Request {
        let request = Rc::new(LockRequest::default());
        let on_answer = Rc::new(on_answer);
        // A steal does not wait: there is nothing to abort, and the browser allows no signal.
        let abort = if steal { None } else { AbortController::new().ok() };
        let promise = self.request(steal, abort.as_ref(), &request, &on_answer);
        spawn_local({
            let request = request.clone();
            async move {
                // Settles when the lock is released, stolen or refused.
                if let Ok(promise) = promise {
                    let _ = JsFuture::from(promise).await;
                }
                if !request.over.replace(true) {
                    let held = request.release.take().is_some();
                    on_answer(if held { Answer::Effects } else { Answer::Refused });
                }
            }
        });
        Request { request, abort }
    }

    fn request(
        &self,
        steal: bool,
        abort: Option<&AbortController>,
        request: &Rc<LockRequest>,
        on_answer: &Rc<impl Fn(Answer) + 'static>,
    ) -> Result<Promise, JsValue> {
        let options = Object::new();
        match abort {
            Some(abort) => Reflect::set(&options, &"signal".into(), &abort.signal())?,
            None => Reflect::set(&options, &"steal".into(), &steal.into())?,
        };
        let (request, on_answer) = (request.clone(), on_answer.clone());
        // The lock is held until the returned promise resolves.
        let held = Closure::once_into_js(move |_lock: JsValue| {
            if request.over.get() {
                return JsValue::UNDEFINED;
            }
            let promise = Promise::new(&mut |resolve, _| {
                request.release.replace(Some(resolve));
            });
            on_answer(Answer::Granted);
            promise.into()
        });
        let request: Function = Reflect::get(&self.locks, &"request".into())?.dyn_into()?;
        request.call3(&self.locks, &self.name, &options, &held)?.dyn_into()
    }
}

impl Drop for Request {
    /// Releases the lock, or leaves its queue.
    fn drop(&mut self) {
        if self.request.over.replace(true) {
            return;
        }
        match (self.request.release.take(), &self.abort) {
            (Some(release), _) => {
                let _ = release.call0(&JsValue::UNDEFINED);
            }
            (None, Some(abort)) => abort.abort(),
            (None, None) => {}
        }
    }
}
