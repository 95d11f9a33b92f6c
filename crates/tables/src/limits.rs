//! How much an uploaded table may be.

/// Bounds of reading. Each is enforced before the memory or time that it bounds is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Bytes that all parts of an XLSX file which are read may unpack to, together.
    pub unpacked_bytes: u64,
    /// How many times larger than the file its parts may unpack to, once they are more than 10 MiB. Sheets of data stay
    /// below 50; deflate can reach 1,032.
    pub unpacked_ratio: u64,
    /// Entries in the zip that an XLSX file is.
    pub entries: usize,
    /// Rows with something in them, the header and titles included.
    pub rows: usize,
    /// Columns, up to the last with something in it.
    pub columns: usize,
    /// Cells of all rows together, empty ones between full ones included; and different texts of an XLSX file.
    pub cells: usize,
    /// Characters of a cell.
    pub cell_characters: usize,
    /// Bytes of all texts together, each counted as often as it is shown.
    pub text_bytes: usize,
}

impl Default for Limits {
    /// 20 MiB, 200 MiB unpacked, 200 times, 2,000 entries; 200,000 rows of 200 columns, 5,000,000 cells of 32,767
    /// characters (as a spreadsheet has), 100 MiB of text. The largest table within them, all of short texts, takes some
    /// 400 MB; one of 80,000 rows of 20 numbers takes 50.
    fn default() -> Self {
        Self {
            bytes: 20 << 20,
            unpacked_bytes: 200 << 20,
            unpacked_ratio: 200,
            entries: 2_000,
            rows: 200_000,
            columns: 200,
            cells: 5_000_000,
            cell_characters: 32_767,
            text_bytes: 100 << 20,
        }
    }
}
