//! The TypeScript side of the call surface, generated from its Rust declaration.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use ts_rs::{Config, TS, TypeVisitor};

use crate::api;
use crate::error::CallError;
use crate::view::customer::CustomerView;
use crate::view::event::CounterEvent;

/// Every generated file: name and content, sorted by name.
pub fn typescript() -> Vec<(String, String)> {
    let config = Config::new();
    let mut collector = Collector {
        config: &config,
        files: BTreeMap::new(),
        seen: HashSet::new(),
    };
    api::visit_types(&mut collector);
    collector.visit::<CallError>();
    collector.visit::<CounterEvent>();
    collector.visit::<CustomerView>();
    let mut files = collector.files;
    let commands = commands(&config, &files);
    files.insert("commands.ts".to_owned(), commands);
    files.into_iter().collect()
}

struct Collector<'a> {
    config: &'a Config,
    files: BTreeMap<String, String>,
    seen: HashSet<TypeId>,
}

impl TypeVisitor for Collector<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        if let Some(path) = T::output_path() {
            let text = T::export_to_string(self.config).expect("a derived type exports");
            self.files.insert(path.to_string_lossy().into_owned(), text);
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

fn commands(config: &Config, files: &BTreeMap<String, String>) -> String {
    let signatures = api::signatures(config);
    let mut imports = BTreeSet::new();
    let mut rows = String::new();
    for (name, request, response) in &signatures {
        for part in [request, response] {
            let named = part.trim_start_matches("Array<").trim_end_matches('>');
            if files.contains_key(&format!("{named}.ts")) {
                imports.insert(named.to_owned());
            }
        }
        rows.push_str(&format!(
            "  {name}: {{ request: {request}; response: {response} }};\n"
        ));
    }
    let mut text = String::from(GENERATED);
    for name in imports {
        text.push_str(&format!("import type {{ {name} }} from \"./{name}\";\n"));
    }
    text.push_str("\nexport type Commands = {\n");
    text.push_str(&rows);
    text.push_str("};\n");
    text
}

const GENERATED: &str =
    "// This file was generated from crates/counter/src/api.rs. Do not edit it by hand.\n";
