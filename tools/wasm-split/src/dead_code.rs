//! Removes functions that the page never calls, but that the linker keeps.
//!
//! Each type of view has a table of functions. Some of them are not called: two are for other ways to hydrate, parts of
//! a page one after the other (`hydrate_lazy`) and templates; one updates a single attribute, but the attributes of an
//! element are a list, which is made again. A table refers to its functions, so the linker can't know that nobody calls
//! them. They were 5 to 15 % of the parts. The methods of the streams of `wasm-streams` are exported, but no stream is
//! made from Rust. Each function is replaced by a trap of the same length, and its relocations are left out, so that
//! the splitter leaves out what only they use.

use anyhow::{Context as _, bail};
use std::collections::HashSet;
use std::ops::Range;
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Parts of the mangled names of the functions, which are the fields of these names in `AnyView` and `AnyAttribute`.
const UNCALLED: [(&str, &str); 3] = [
    ("IntoAny$GT$8into_any", "13hydrate_async17h"),
    ("IntoAnyAttribute$GT$13into_any_attr", "21hydrate_from_template17h"),
    ("IntoAnyAttribute$GT$13into_any_attr", "7rebuild17h"),
];
/// Beginnings of the names of the exported methods of streams.
const STREAM_METHODS: [&str; 2] = ["intounderlying", "__wbg_intounderlying"];
/// Part of the names of the imported functions that pass a stream to JavaScript, which then calls its methods.
const MAKE_STREAM: &str = "intounderlying";

/// Shortest body that a trap fits into: no locals, `unreachable`, `end`.
const TRAP_BYTES: usize = 3;
const UNREACHABLE: u8 = 0x00;
const NOP: u8 = 0x01;
const END: u8 = 0x0b;

fn is_uncalled(name: &str) -> bool {
    UNCALLED
        .iter()
        .any(|(of, function)| name.contains(of) && name.contains(function) && !name.contains("closure"))
}

fn is_stream_method(name: &str) -> bool {
    STREAM_METHODS.iter().any(|start| name.starts_with(start))
}

/// The module without the bodies of these functions.
///
/// # Errors
/// The module has none of them, or can't be read.
pub fn without_uncalled(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let read = Read::of(module)?;
    let is_dead = |index| read.uncalled.contains(index) || read.stream_methods.contains(index);
    let bodies: Vec<_> = read.bodies.iter().filter(|(index, _)| is_dead(index)).collect();
    if read.uncalled.is_empty() {
        bail!(
            "no function of {UNCALLED:?} was found; leptos has changed, adapt tools/wasm-split/src/dead_code.rs"
        );
    }
    let mut out = module.to_vec();
    let mut dead = Vec::new();
    for (_, body) in bodies {
        if body.len() < TRAP_BYTES {
            continue;
        }
        out[body.clone()].fill(NOP);
        // The number of local variables.
        out[body.start] = 0;
        out[body.start + 1] = UNREACHABLE;
        out[body.end - 1] = END;
        dead.push(body.start - read.code..body.end - read.code);
    }
    out.splice(read.relocations.section.clone(), read.relocations.without(module, &dead)?);
    Ok(out)
}

/// What of a module is needed here. Ranges are those of its bytes.
#[derive(Default)]
struct Read {
    /// Indices of the functions.
    uncalled: HashSet<u32>,
    /// Indices of the functions; none if the module makes streams.
    stream_methods: HashSet<u32>,
    /// Start of the section of the code.
    code: usize,
    /// Body of each function with its index.
    bodies: Vec<(u32, Range<usize>)>,
    relocations: Relocations,
}

/// Section with the relocations of the code.
#[derive(Default)]
struct Relocations {
    section: Range<usize>,
    /// Number of the code's section.
    target: u32,
    /// Each with its place in the section of the code.
    entries: Vec<(u32, Range<usize>)>,
}

impl Read {
    fn of(module: &[u8]) -> anyhow::Result<Self> {
        let mut read = Self::default();
        let mut functions = 0;
        let mut makes_streams = false;
        let mut end_of_last = 0;
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            match &payload {
                Payload::Version { range, .. } => end_of_last = place(range.end)?,
                Payload::ImportSection(imports) => {
                    for import in imports.clone().into_imports() {
                        let import = import?;
                        functions += u32::from(matches!(import.ty, wasmparser::TypeRef::Func(_)));
                        makes_streams |= import.name.contains(MAKE_STREAM);
                    }
                }
                Payload::CodeSectionStart { range, .. } => read.code = place(range.start)?,
                Payload::CodeSectionEntry(body) => {
                    let range = body.range();
                    read.bodies.push((functions, place(range.start)?..place(range.end)?));
                    functions += 1;
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Name(names) => {
                        for name in names {
                            let Name::Function(names) = name? else { continue };
                            for name in names {
                                let name = name?;
                                if is_uncalled(name.name) {
                                    read.uncalled.insert(name.index);
                                }
                                if is_stream_method(name.name) && !makes_streams {
                                    read.stream_methods.insert(name.index);
                                }
                            }
                        }
                    }
                    KnownCustom::Reloc(relocations) if section.name() == "reloc.CODE" => {
                        let end = place(section.range().end)?;
                        read.relocations = Relocations {
                            section: end_of_last..end,
                            target: relocations.section_index(),
                            entries: entries_of(&relocations, end)?,
                        };
                    }
                    _ => {}
                },
                _ => {}
            }
            if let Some((_, range)) = payload.as_section() {
                end_of_last = place(range.end)?;
            }
        }
        Ok(read)
    }
}

/// The relocations with their bytes, which end at `end`.
fn entries_of(
    section: &wasmparser::RelocSectionReader<'_>,
    end: usize,
) -> anyhow::Result<Vec<(u32, Range<usize>)>> {
    let mut starts = Vec::new();
    for entry in section.entries().into_iter_with_offsets() {
        let (start, entry) = entry?;
        starts.push((entry.offset, place(start)?));
    }
    let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([end]).collect::<Vec<_>>();
    Ok(starts.into_iter().zip(ends).map(|((offset, start), end)| (offset, start..end)).collect())
}

impl Relocations {
    /// The section without the relocations in the `dead` parts of the code, which are in order.
    fn without(&self, module: &[u8], dead: &[Range<usize>]) -> anyhow::Result<Vec<u8>> {
        let is_dead = |offset: u32| {
            let offset = offset as usize;
            let next = dead.partition_point(|range| range.end <= offset);
            dead.get(next).is_some_and(|range| range.contains(&offset))
        };
        let live: Vec<_> = self.entries.iter().filter(|(offset, _)| !is_dead(*offset)).collect();
        let mut content = Vec::new();
        leb(&mut content, 10);
        content.extend_from_slice(b"reloc.CODE");
        leb(&mut content, self.target);
        leb(&mut content, u32::try_from(live.len()).context("too many relocations")?);
        for (_, bytes) in live {
            content.extend_from_slice(&module[bytes.clone()]);
        }
        // A custom section: number 0 and its length.
        let mut section = vec![0];
        leb(&mut section, u32::try_from(content.len()).context("too many relocations")?);
        section.extend(content);
        Ok(section)
    }
}

/// Place in the bytes of the module.
fn place(at: u64) -> anyhow::Result<usize> {
    usize::try_from(at).context("the module is too large")
}

/// Appends a number as LEB128.
fn leb(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A section: its number, and its content with the length.
    fn section(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number, content.len() as u8];
        out.extend_from_slice(content);
        out
    }

    fn custom(name: &str, content: &[u8]) -> Vec<u8> {
        let mut all = vec![name.len() as u8];
        all.extend_from_slice(name.as_bytes());
        all.extend_from_slice(content);
        section(0, &all)
    }

    /// Module with two functions that call the first one. Each call has a relocation.
    fn module(name_of_second: &str) -> Vec<u8> {
        // No local variables, `call 0` with an index of five bytes, `end`.
        let body = [8, 0, 0x10, 0x80, 0x80, 0x80, 0x80, 0, END];
        let mut names = vec![2, 0, 1, b'f', 1, name_of_second.len() as u8];
        names.extend_from_slice(name_of_second.as_bytes());
        let mut of_functions = vec![1, names.len() as u8];
        of_functions.extend(names);
        [
            b"\0asm\x01\0\0\0".to_vec(),
            section(1, &[1, 0x60, 0, 0]),
            section(3, &[2, 0, 0]),
            section(10, &[&[2], &body[..], &body].concat()),
            // Kind 0 is the index of a function: place in the section, symbol.
            custom("reloc.CODE", &[2, 2, 0, 4, 0, 0, 13, 0]),
            custom("name", &of_functions),
        ]
        .concat()
    }

    #[test]
    fn an_uncalled_function_becomes_a_trap_without_relocations() {
        let name = "_ZN5_$LT$T$u20$as$u20$IntoAny$GT$8into_any13hydrate_async17h0123456789abcdefE";
        let module = module(name);
        let before = Read::of(&module).unwrap();
        assert_eq!(before.relocations.entries.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [4, 13]);
        let out = without_uncalled(&module).unwrap();
        let after = Read::of(&out).unwrap();
        assert_eq!(after.bodies, before.bodies);
        assert_eq!(after.relocations.entries.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [4]);
        let [first, second] = [0, 1].map(|n: usize| out[after.bodies[n].1.clone()].to_vec());
        assert_eq!(first, [0, 0x10, 0x80, 0x80, 0x80, 0x80, 0, END]);
        assert_eq!(second, [0, UNREACHABLE, NOP, NOP, NOP, NOP, NOP, END]);
        assert_eq!(after.uncalled, before.uncalled);
    }

    /// As `module`, but it imports a function first.
    fn module_with_import(import: &str, name_of_second: &str) -> Vec<u8> {
        let mut content = vec![1, 1, b'm', import.len() as u8];
        content.extend_from_slice(import.as_bytes());
        content.extend([0, 0]);
        let module = module(name_of_second);
        // After the header and the types.
        let at = 8 + 6;
        [&module[..at], &section(2, &content), &module[at..]].concat()
    }

    #[test]
    fn methods_of_streams_are_removed_unless_streams_are_passed_to_javascript() {
        let name = "intounderlyingsource_pull_58a9338f50bce61c";
        let methods = |import| Read::of(&module_with_import(import, name)).unwrap().stream_methods;
        assert_eq!(methods("__wbg_get_1f"), HashSet::from([1]));
        assert_eq!(methods("__wbg_intounderlyingsource_new"), HashSet::new());
    }

    #[test]
    fn a_module_without_such_functions_is_an_error() {
        let error = without_uncalled(&module("g")).unwrap_err().to_string();
        assert!(error.contains("leptos has changed"), "{error}");
    }
}
