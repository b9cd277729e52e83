//! A Tauri window with nothing in it, built like the app's: what `cargo xtask bench` compares the
//! counter's window with. Its one argument is the folder for the web view's files.

use std::path::PathBuf;

use tauri::{WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    tauri::Builder::default()
        .setup(move |app| {
            let mut window =
                WebviewWindowBuilder::new(app, "empty", WebviewUrl::App("index.html".into()))
                    .title("empty")
                    .inner_size(1366.0, 768.0);
            if let Some(folder) = folder {
                window = window.data_directory(folder);
            }
            window.build()?;
            Ok(())
        })
        .run(tauri::generate_context!(
            "src-tauri/empty_window/tauri.conf.json"
        ))
}
