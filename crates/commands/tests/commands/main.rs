//! Commands on a real log: races, lost answers, redelivery.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod licenses;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod settlement;
#[cfg(test)]
mod world;
