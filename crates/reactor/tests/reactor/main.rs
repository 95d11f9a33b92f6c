//! The reactor on a real log, with a marketplace that answers as it is told.

#[cfg(test)]
mod activation;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod upload;
#[cfg(test)]
mod world;
