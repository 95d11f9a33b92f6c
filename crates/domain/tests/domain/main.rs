//! The rules of the domain, tested from outside: tables of what follows from what, properties against a naive model,
//! and every event ever stored.

#[cfg(test)]
mod support;

#[cfg(test)]
mod access;
#[cfg(test)]
mod at_the_marketplace;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod deployments;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hours;
#[cfg(test)]
mod ids;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod model;
#[cfg(test)]
mod order;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rfc3339;
#[cfg(test)]
mod settlement;
#[cfg(test)]
mod verdict;
