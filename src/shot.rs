//! Pictures of the program, drawn by the program: SVG and text, the same bytes every time.

pub mod fixture;
pub mod scenes;
pub mod svg;
pub mod text;

pub use scenes::scenes;
pub use svg::svg;
pub use text::text;
