//! Which screen is the customer's, and what is to be done about it.

use tauri::Monitor;

/// What a screen shows of the desktop, in its own points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub left: i32,
    /// Upper edge.
    pub top: i32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Area {
    /// That of `monitor`.
    pub fn of(monitor: &Monitor) -> Area {
        let (position, size) = (monitor.position(), monitor.size());
        Area {
            left: position.x,
            top: position.y,
            width: size.width,
            height: size.height,
        }
    }

    fn meets(self, other: Area) -> bool {
        let apart = |start: i32, length: u32, from: i32| {
            i64::from(start) + i64::from(length) <= i64::from(from)
        };
        !(apart(self.left, self.width, other.left)
            || apart(other.left, other.width, self.left)
            || apart(self.top, self.height, other.top)
            || apart(other.top, other.height, self.top))
    }
}

/// The first screen that shows nothing of the counter's: one that mirrors it is no second screen.
pub fn beside(counter: Option<Area>, all: &[Area]) -> Option<Area> {
    let counter = counter?;
    all.iter().copied().find(|screen| !screen.meets(counter))
}

/// Where the display is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nobody wants it, or there is no screen for it.
    Nowhere,
    /// Fills this screen.
    Screen(Area),
    /// A window as any other.
    Window,
}

/// What is to be done with the display's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Stay,
    /// Close it.
    Close,
    /// Open it there.
    Open(Place),
    /// Move it there.
    Move(Place),
}

/// From where the display was put last to where it is `wanted`. One that a person has closed stays
/// closed until it is wanted elsewhere or anew.
pub fn step(last: Place, wanted: Place, is_open: bool) -> Step {
    match (wanted, is_open) {
        _ if wanted == last => Step::Stay,
        (Place::Nowhere, false) => Step::Stay,
        (Place::Nowhere, true) => Step::Close,
        (place, false) => Step::Open(place),
        (place, true) => Step::Move(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn area(left: i32, top: i32) -> Area {
        Area {
            left,
            top,
            width: 1366,
            height: 768,
        }
    }

    #[test]
    fn the_customers_screen_is_the_one_beside_the_counters() {
        let (main, right, left, above) = (area(0, 0), area(1366, 0), area(-1366, 0), area(0, -768));
        let mirror = Area {
            width: 1024,
            ..main
        };
        for (counter, all, expected) in [
            (None, vec![main, right], None),
            (Some(main), vec![], None),
            (Some(main), vec![main], None),
            (Some(main), vec![main, mirror], None),
            (Some(main), vec![main, area(1365, 0)], None),
            (Some(main), vec![main, right], Some(right)),
            (Some(main), vec![left, main], Some(left)),
            (Some(main), vec![main, above], Some(above)),
            (Some(right), vec![main, right], Some(main)),
            (Some(main), vec![main, mirror, right, left], Some(right)),
        ] {
            assert_eq!(beside(counter, &all), expected, "{counter:?} of {all:?}");
        }
    }

    /// A day of a display: what the screens and the settings want, what a person closes.
    #[test]
    fn the_display_comes_and_goes_with_its_screen() {
        let right = Place::Screen(area(1366, 0));
        let left = Place::Screen(area(-1366, 0));
        let (mut last, mut is_open) = (Place::Nowhere, false);
        for (wanted, closed_by_hand, expected) in [
            (Place::Nowhere, false, Step::Stay),
            // Plugged in, nothing new, unplugged while a customer pays, plugged in again.
            (right, false, Step::Open(right)),
            (right, false, Step::Stay),
            (Place::Nowhere, false, Step::Close),
            (Place::Nowhere, false, Step::Stay),
            (right, false, Step::Open(right)),
            // The desktop puts the screen on the other side.
            (left, false, Step::Move(left)),
            // Closed by a person: stays closed, until the screen was away or another is chosen.
            (left, true, Step::Stay),
            (left, false, Step::Stay),
            (Place::Nowhere, false, Step::Stay),
            (left, false, Step::Open(left)),
            (left, true, Step::Stay),
            (Place::Window, false, Step::Open(Place::Window)),
            (Place::Window, true, Step::Stay),
            (Place::Nowhere, false, Step::Stay),
            (Place::Window, false, Step::Open(Place::Window)),
            (right, false, Step::Move(right)),
        ] {
            is_open &= !closed_by_hand;
            let step = step(last, wanted, is_open);
            assert_eq!(step, expected, "{last:?} to {wanted:?}, open: {is_open}");
            is_open = match step {
                Step::Stay => is_open,
                Step::Close => false,
                Step::Open(_) | Step::Move(_) => true,
            };
            last = wanted;
        }
    }
}
