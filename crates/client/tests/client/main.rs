//! The client against a fake server: what it asks, what it believes, what it keeps.

#[cfg(test)]
mod deployments;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod fake_server;
#[cfg(test)]
mod forged;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod signer;
#[cfg(test)]
mod steady;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod world;
