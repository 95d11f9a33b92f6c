//! The fold against SQLite: how it is cut and killed, who comes first, what each event counts for.

mod closing;
mod desk;
mod following;
mod properties;
mod shop;
mod tiers;
