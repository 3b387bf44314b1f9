//! Where an address is, coarsely, from a MaxMind file of the operator's.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use maxminddb::{Reader, geoip2};
use rightful_web::site::Places;

/// Opens the file, where one is configured. It is read whole: what replaces it counts from the next start.
pub(crate) fn open(file: Option<&Path>) -> Result<Option<Places>> {
    let Some(file) = file else { return Ok(None) };
    let reader =
        Reader::open_readfile(file).with_context(|| format!("places.file: {} is no MaxMind file", file.display()))?;
    Ok(Some(Arc::new(move |address| place(&reader, address))))
}

/// "Lisbon, Portugal", or the country alone.
fn place(reader: &Reader<Vec<u8>>, address: IpAddr) -> Option<String> {
    let found = reader.lookup(address).ok()?.decode::<geoip2::City<'_>>().ok()??;
    let city = found.city.names.english;
    let country = found.country.names.english;
    match (city, country) {
        (Some(city), Some(country)) => Some(format!("{city}, {country}")),
        (None, country) => country.map(str::to_owned),
        (city, None) => city.map(str::to_owned),
    }
}
