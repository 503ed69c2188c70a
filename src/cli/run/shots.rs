//! `partywall screenshot`: renders scenes to SVG with text twins.

use std::process::ExitCode;

use color_eyre::eyre::{Result, WrapErr};

use super::{USAGE, complain, print};
use crate::cli::args::ScreenshotArgs;
use crate::shot;

/// Renders one scene or all.
pub fn run(args: &ScreenshotArgs) -> Result<ExitCode> {
    let scenes = shot::scenes();
    let wanted: Vec<_> = scenes.iter().filter(|scene| args.all || args.scene.as_deref() == Some(scene.name)).collect();
    if wanted.is_empty() {
        let names: Vec<_> = scenes.iter().map(|scene| scene.name).collect();
        return complain(&format!("name a scene with --scene, or say --all; there are {}", names.join(", ")), USAGE);
    }
    std::fs::create_dir_all(&args.out).wrap_err_with(|| format!("the folder {} can't be made", args.out.display()))?;
    for scene in wanted {
        let (buffer, theme) = scene.render()?;
        for (extension, content) in [("svg", shot::svg(&buffer, &theme)), ("txt", shot::text(&buffer))] {
            let path = args.out.join(scene.name).with_extension(extension);
            std::fs::write(&path, content).wrap_err_with(|| format!("{} can't be written", path.display()))?;
            print(&format!("{}\n", path.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
