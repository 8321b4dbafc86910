//! Distances on Earth, for the parameter `near` (R4, `location.html#positional`).
//!
//! One function for all engines, so that they agree about a place that lies just at the edge.

/// Mean radius of the Earth (IUGG), in metres.
const RADIUS: f64 = 6_371_008.8;

/// Units of [`distance`] in a degree.
pub const PER_DEGREE: i64 = 10_000_000;

/// Metres over the ground between two places (latitude, longitude) given in ten-millionths of a degree: the shorter
/// way along the great circle, on a sphere. That is within 0.6 % of the truth on the ellipsoid.
///
/// ```
/// use ieum_fhir::geo::distance;
/// let (seoul, busan) = ((375_665_000, 1_269_780_000), (351_796_000, 1_290_756_000));
/// assert_eq!((distance(seoul, busan) / 1000.0).round(), 325.0);
/// ```
#[must_use]
pub fn distance(from: (i64, i64), to: (i64, i64)) -> f64 {
    let radians = |units: i64| (units as f64 / PER_DEGREE as f64).to_radians();
    let (lat, other_lat) = (radians(from.0), radians(to.0));
    let half = |difference: f64| (difference / 2.0).sin().powi(2);
    let haversine = half(other_lat - lat) + lat.cos() * other_lat.cos() * half(radians(to.1 - from.1));
    // Rounding may leave it a little above 1 for opposite places.
    2.0 * RADIUS * haversine.sqrt().min(1.0).asin()
}

/// The least and greatest latitude of places at most so many metres away, for engines that look through a band
/// first; a little wider than needed.
#[must_use]
pub fn latitudes(lat: i64, metres: f64) -> (i64, i64) {
    let degrees = (metres / RADIUS).to_degrees();
    // Saturates for distances longer than the Earth.
    let reach = (degrees * PER_DEGREE as f64) as i64 + 2;
    (lat.saturating_sub(reach), lat.saturating_add(reach))
}
