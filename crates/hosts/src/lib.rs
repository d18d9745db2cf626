//! The bundled hosts: work that every installation of Signalbox can do at once.
//!
//! Knows: how to do the work (market data so far), and [`host_kit`], through which it is offered.
//! May not know: the server, the page, the store. A host is of use without them.

pub mod data;
