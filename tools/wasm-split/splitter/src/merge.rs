//! Merges small parts. Compiled as a module of the library, see `build.rs`.
//!
//! A part that only sections of a page share, and that is small, costs more as a file of its own than in the part of
//! the page. So it gets the users that all small parts of the same pages get: these pages with all of their sections.

use crate::dep_graph::DepNode;
use crate::read::{InputModule, SymbolIndex};
use crate::split_point::{OutputModuleInfo, SplitModuleIdentifier};
use std::collections::{BTreeSet, HashMap};

/// Code and data of fewer bytes are merged.
const SMALL_BYTES: u64 = 1_000;

/// Merges parts with several users. A page is a split named `__PAGE_view_NUMBER`, its sections are named `PAGE_…`.
pub fn merge_small(
    parts: HashMap<SplitModuleIdentifier, OutputModuleInfo>,
    splits: &BTreeSet<String>,
    module: &InputModule,
) -> HashMap<SplitModuleIdentifier, OutputModuleInfo> {
    let data = &module.reloc_info.data_symbols;
    let data =
        data.iter().map(|symbol| (symbol.symbol_index, symbol.range.end - symbol.range.start)).collect();
    let mut merged = HashMap::<SplitModuleIdentifier, OutputModuleInfo>::new();
    for (users, part) in parts {
        let users = match users {
            SplitModuleIdentifier::Chunk(users) if bytes_of(&part, module, &data) < SMALL_BYTES => {
                SplitModuleIdentifier::Chunk(with_pages(&users, splits))
            }
            other => other,
        };
        merged.entry(users).or_default().included_symbols.extend(part.included_symbols);
    }
    merged
}

/// The users, their pages, and all sections of these pages.
fn with_pages(users: &BTreeSet<String>, splits: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all = users.clone();
    for view in splits {
        let Some(page) = page_of(view) else { continue };
        let belongs = |split: &String| {
            split == view || split.strip_prefix(page).is_some_and(|rest| rest.starts_with('_'))
        };
        if users.iter().any(belongs) {
            all.extend(splits.iter().filter(|split| belongs(split)).cloned());
        }
    }
    all
}

/// Name of the page of a view.
fn page_of(view: &str) -> Option<&str> {
    let (page, _) = view.strip_prefix("__")?.rsplit_once("_view_")?;
    Some(page)
}

/// Bytes of a part; `data` has those of each data symbol.
fn bytes_of(part: &OutputModuleInfo, module: &InputModule, data: &HashMap<SymbolIndex, u64>) -> u64 {
    let bytes = |symbol: &DepNode| match symbol {
        DepNode::Function(id) => {
            let defined = id.checked_sub(module.imported_funcs.len());
            defined.map_or(0, |defined| {
                let body = module.defined_funcs[defined].body.range();
                body.end - body.start
            })
        }
        DepNode::DataSymbol(id) => data.get(id).copied().unwrap_or_default(),
        _ => 0,
    };
    part.included_symbols.iter().map(bytes).sum()
}
