//! Writes pictures as PNG files.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::canvas::Canvas;
use crate::model::picture::Picture;

/// A picture could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// There is no picture yet.
    #[error("there is no picture yet; wait for one first (wait-picture)")]
    NoPicture,
    /// The file could not be written.
    #[error("could not write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: png::EncodingError,
    },
}

/// Writes what the console shows.
///
/// # Errors
/// [`PngError::File`].
pub fn write_canvas(path: &Path, canvas: &Canvas) -> Result<(), PngError> {
    write(path, canvas.width(), canvas.height(), canvas.pixels())
}

/// Writes the remote picture, pixel by pixel.
///
/// # Errors
/// [`PngError::NoPicture`] or [`PngError::File`].
pub fn write_picture(path: &Path, picture: &Picture) -> Result<(), PngError> {
    if picture.is_empty() {
        return Err(PngError::NoPicture);
    }
    write(path, picture.width(), picture.height(), picture.pixels())
}

fn write(path: &Path, width: u32, height: u32, pixels: &[u32]) -> Result<(), PngError> {
    encode(path, width, height, pixels)
        .map_err(|source| PngError::File { path: path.to_owned(), source })
}

fn encode(path: &Path, width: u32, height: u32, pixels: &[u32]) -> Result<(), png::EncodingError> {
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let bytes: Vec<u8> = pixels
        .iter()
        .flat_map(|pixel| {
            let [_, r, g, b] = pixel.to_be_bytes();
            [r, g, b]
        })
        .collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::PixelRect;

    #[test]
    fn a_written_picture_reads_back_pixel_by_pixel() {
        let mut picture = Picture::default();
        picture.resize(3, 2).unwrap();
        let bytes: Vec<u8> = (0..24).collect();
        picture.copy_rgbx(&bytes, PixelRect { x: 0, y: 0, width: 3, height: 2 });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shot.png");
        write_picture(&path, &picture).unwrap();

        let file = std::io::BufReader::new(File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut read = vec![0; 18];
        let info = reader.next_frame(&mut read).unwrap();
        assert_eq!((info.width, info.height), (3, 2));
        let expected: Vec<u8> = bytes.chunks(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn no_picture_is_an_error_and_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shot.png");
        assert!(matches!(write_picture(&path, &Picture::default()), Err(PngError::NoPicture)));
        assert!(!path.exists());
    }
}
