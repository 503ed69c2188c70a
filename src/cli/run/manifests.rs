//! Reading manifests for a command, and what is said of it.

use color_eyre::eyre::Result;

use super::complain;
use crate::cli::args::FilesArgs;
use crate::manifests::{Reading, files};

/// Reads what was named, and tells on stderr what could not be read. None when nothing could.
pub fn read(args: &FilesArgs) -> Result<Option<Reading>> {
    let reading = files::read(&args.files);
    for problem in &reading.problems {
        complain(problem, 0)?;
    }
    if reading.untold > 0 {
        complain(&format!("and {} more such problems", reading.untold), 0)?;
    }
    if reading.objects == 0 {
        complain(&format!("nothing could be read: {}", reading.summary()), 0)?;
        return Ok(None);
    }
    Ok(Some(reading))
}
