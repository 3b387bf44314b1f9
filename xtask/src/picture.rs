//! Pictures of pages made small: a PNG of up to 256 colours in the place of one of millions. A page has few colours but for the
//! edges of its letters, and nobody sees those move to their neighbour.

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The colours of a PNG with a palette.
const COLOURS: usize = 256;

/// Bytes of a pixel while it is read: red, green, blue.
type Colour = [u8; 3];

/// The largest picture that is read, in pixels.
const LARGEST: usize = 1 << 26;

struct Picture {
    width: usize,
    pixels: Vec<Colour>,
}

/// The same picture with a palette. Takes what Chromium writes: 8 bits a channel, with or without alpha (which it never uses), not
/// interlaced.
pub(crate) fn shrink(png: &[u8]) -> Result<Vec<u8>> {
    let picture = read(png)?;
    let palette = palette(&picture.pixels);
    let mut nearest: HashMap<Colour, u8> = HashMap::new();
    let mut rows = Vec::with_capacity(picture.pixels.len() + picture.pixels.len() / picture.width);
    for row in picture.pixels.chunks(picture.width) {
        rows.push(0);
        rows.extend(
            row.iter()
                .map(|colour| *nearest.entry(*colour).or_insert_with(|| closest(&palette, *colour))),
        );
    }
    write(picture.width, &rows, &palette)
}

/// The commonest colours: what fills a page is kept exactly.
fn palette(pixels: &[Colour]) -> Vec<Colour> {
    let mut counts: HashMap<Colour, usize> = HashMap::new();
    for colour in pixels {
        *counts.entry(*colour).or_default() += 1;
    }
    let mut colours: Vec<(Colour, usize)> = counts.into_iter().collect();
    colours.sort_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    colours.truncate(COLOURS);
    colours.into_iter().map(|(colour, _)| colour).collect()
}

fn closest(palette: &[Colour], colour: Colour) -> u8 {
    let distance = |other: &Colour| -> u32 {
        let parts = colour
            .iter()
            .zip(other)
            .map(|(one, other)| u32::from(one.abs_diff(*other)).pow(2));
        parts.sum()
    };
    let found = (0..=u8::MAX).zip(palette).min_by_key(|(_, other)| distance(other));
    found.map_or(0, |(index, _)| index)
}

fn read(png: &[u8]) -> Result<Picture> {
    let mut rest = png.strip_prefix(SIGNATURE).context("this is no PNG")?;
    let (mut head, mut data) = (None, Vec::new());
    while let Some((chunk, after)) = next_chunk(rest) {
        match chunk {
            (b"IHDR", body) => head = Some(body),
            (b"IDAT", body) => data.extend_from_slice(body),
            _ => {}
        }
        rest = after;
    }
    let head: &[u8; 13] = head
        .and_then(|head| head.try_into().ok())
        .context("the PNG has no head")?;
    let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
    let (width, height) = (number(0), number(4));
    let channels = match (head[8], head[9], head[12]) {
        (8, 2, 0) => 3,
        (8, 6, 0) => 4,
        other => bail!("a PNG of this kind (depth, colours, interlacing {other:?}) is not read here"),
    };
    if width == 0 || height == 0 || width.saturating_mul(height) > LARGEST {
        bail!("a PNG of {width} × {height} pixels is not read here");
    }
    let mut bytes = Vec::new();
    let most = (width * channels + 1) * height;
    ZlibDecoder::new(data.as_slice())
        .take(most as u64)
        .read_to_end(&mut bytes)
        .context("the PNG is broken")?;
    if bytes.len() != most {
        bail!("the PNG ends early");
    }
    Ok(Picture {
        width,
        pixels: pixels(&unfiltered(&bytes, width * channels, channels)?, channels),
    })
}

#[expect(clippy::type_complexity, reason = "its kind, its body, and what comes after it")]
fn next_chunk(bytes: &[u8]) -> Option<((&[u8; 4], &[u8]), &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (body, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some(((kind, body), rest.get(4..)?))
}

fn pixels(bytes: &[u8], channels: usize) -> Vec<Colour> {
    bytes
        .chunks_exact(channels)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect()
}

/// Undoes the filters of the rows (PNG, third edition, section 9).
fn unfiltered(bytes: &[u8], stride: usize, channels: usize) -> Result<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    for row in bytes.chunks_exact(stride + 1) {
        let (filter, start) = (row[0], out.len());
        for (at, byte) in row[1..].iter().enumerate() {
            let left = if at >= channels { out[start + at - channels] } else { 0 };
            let up = if start >= stride { out[start + at - stride] } else { 0 };
            let corner = if at >= channels && start >= stride {
                out[start + at - stride - channels]
            } else {
                0
            };
            let predicted = match filter {
                0 => 0,
                1 => left,
                2 => up,
                3 => u8::midpoint(left, up),
                4 => paeth(left, up, corner),
                other => bail!("the PNG has a filter {other}, which there is not"),
            };
            out.push(byte.wrapping_add(predicted));
        }
    }
    Ok(out)
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let off = |byte: u8| (estimate - i16::from(byte)).abs();
    if off(left) <= off(up) && off(left) <= off(corner) {
        left
    } else if off(up) <= off(corner) {
        up
    } else {
        corner
    }
}

fn write(width: usize, rows: &[u8], palette: &[Colour]) -> Result<Vec<u8>> {
    let height = rows.len() / (width + 1);
    let side = |pixels: usize| {
        u32::try_from(pixels)
            .map(u32::to_be_bytes)
            .context("the picture is too large")
    };
    let head = [&side(width)?[..], &side(height)?, &[8, 3, 0, 0, 0]].concat();
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed
        .write_all(rows)
        .and_then(|()| packed.try_finish())
        .context("the picture could not be packed")?;
    let packed = packed.finish().context("the picture could not be packed")?;
    let mut png = SIGNATURE.to_vec();
    let colours = palette.concat();
    for (kind, body) in [
        (b"IHDR", &head),
        (b"PLTE", &colours),
        (b"IDAT", &packed),
        (b"IEND", &Vec::new()),
    ] {
        let length = u32::try_from(body.len()).context("the picture is too large")?;
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(body);
        png.extend_from_slice(&length.to_be_bytes());
        png.extend_from_slice(kind);
        png.extend_from_slice(body);
        png.extend_from_slice(&sum.sum().to_be_bytes());
    }
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG with these rows as they are filtered, three channels.
    fn png(width: usize, rows: &[u8]) -> Vec<u8> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(rows).unwrap();
        let height = rows.len() / (3 * width + 1);
        let mut bytes = SIGNATURE.to_vec();
        let head = [
            &(width as u32).to_be_bytes()[..],
            &(height as u32).to_be_bytes(),
            &[8, 2, 0, 0, 0],
        ]
        .concat();
        for (kind, body) in [(b"IHDR", head), (b"IDAT", packed.finish().unwrap())] {
            bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
            bytes.extend_from_slice(kind);
            bytes.extend_from_slice(&body);
            bytes.extend_from_slice(&[0; 4]);
        }
        bytes
    }

    #[test]
    fn every_filter_is_undone() {
        // Two rows each of two pixels; the second row is one more than what its filter predicts, in each byte.
        let first = [0, 10, 20, 30, 40, 50, 60];
        let second = |filter: u8| [&first[..], &[filter, 1, 1, 1, 1, 1, 1]].concat();
        let row = |filter: u8| read(&png(2, &second(filter))).unwrap().pixels[2..].concat();
        assert_eq!(row(0), [1, 1, 1, 1, 1, 1]);
        assert_eq!(row(1), [1, 1, 1, 2, 2, 2]);
        assert_eq!(row(2), [11, 21, 31, 41, 51, 61]);
        assert_eq!(row(3), [6, 11, 16, 24, 31, 39]);
        assert_eq!(row(4), [11, 21, 31, 41, 51, 61]);
        assert!(read(&png(2, &second(5))).is_err());
    }

    #[test]
    fn a_picture_of_few_colours_is_the_same_afterwards() {
        let rows = [0, 1, 2, 3, 250, 251, 252, 0, 250, 251, 252, 1, 2, 3];
        let small = shrink(&png(2, &rows)).unwrap();
        let plain = small.windows(4).position(|kind| kind == b"PLTE").unwrap();
        assert_eq!(small[plain + 4..plain + 10], [1, 2, 3, 250, 251, 252]);
        assert!(small.ends_with(b"IEND\xae\x42\x60\x82"));
    }

    #[test]
    fn colours_beyond_the_palette_go_to_their_nearest() {
        let mut pixels: Vec<Colour> = (0..=255).flat_map(|grey| [[grey, grey, grey]; 2]).collect();
        pixels.push([100, 101, 100]);
        let palette = palette(&pixels);
        assert_eq!(palette.len(), COLOURS);
        assert_eq!(
            palette[usize::from(closest(&palette, [100, 101, 100]))],
            [100, 100, 100]
        );
    }
}
