//! Tables for people: no word of a cell is ever broken, and where a terminal is narrow the least important columns are
//! left out.

use super::output::{clean, folded, styled, width, words};
use anstyle::Style;

/// Number of spaces between two columns.
const GAP: usize = 2;

/// Width that a column of sentences keeps, whatever long words are in it.
const NARROW: usize = 24;

/// Columns whose cells stay in one line: what people copy or compare.
const WHOLE: [&str; 13] = [
    "remediation",
    "account",
    "incident",
    "state",
    "entry",
    "time",
    "after",
    "until",
    "region",
    "opened",
    "who",
    "name",
    "mode",
];

/// A column, and how important it is.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    name: &'static str,
    /// 0 is always shown; the higher, the sooner it is left out.
    rank: u8,
    /// Its cells may go on in the next line, at a space.
    flows: bool,
}

impl Column {
    /// A column whose cells stay in one line.
    pub const fn whole(name: &'static str, rank: u8) -> Self {
        Self { name, rank, flows: false }
    }

    /// A column of sentences.
    pub const fn prose(name: &'static str, rank: u8) -> Self {
        Self { name, rank, flows: true }
    }
}

/// A row: its cells, and the column that has a style.
struct Row {
    cells: Vec<String>,
    style: Option<(usize, Style)>,
}

/// Rows of text, which may come from outside.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// A table without lines, as wide as the terminal allows, all of whose columns are shown.
pub fn table(header: &[&'static str]) -> Table {
    let column = |name: &&'static str| Column { name, rank: 0, flows: !WHOLE.contains(name) };
    Table::new(header.iter().map(column).collect())
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub fn add_row<const N: usize>(&mut self, cells: [String; N]) {
        self.add(cells, None);
    }

    /// A row of which one cell has this style.
    pub fn add_styled_row<const N: usize>(&mut self, cells: [String; N], column: usize, style: Style) {
        self.add(cells, Some((column, style)));
    }

    fn add<const N: usize>(&mut self, cells: [String; N], style: Option<(usize, Style)>) {
        self.rows.push(Row { cells: cells.map(|cell| clean(&cell)).into(), style });
    }

    /// All of it, as wide as the terminal.
    pub fn trim_fmt(&self) -> String {
        self.draw(&self.shown(width()), width())
    }

    /// The numbers of the columns that there is room for, the most important ones first to be taken.
    pub fn shown(&self, width: usize) -> Vec<usize> {
        let mut ranks: Vec<u8> = self.columns.iter().map(|column| column.rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let up_to = |most: u8| -> Vec<usize> {
            (0..self.columns.len()).filter(|column| self.columns[*column].rank <= most).collect()
        };
        let fitting = ranks.iter().skip(1).map(|rank| up_to(*rank)).take_while(|some| self.fits(some, width));
        fitting.last().unwrap_or_else(|| up_to(0))
    }

    /// The names of the columns that are not among these, the most important first.
    pub fn left_out(&self, shown: &[usize]) -> Vec<&'static str> {
        let mut left: Vec<&Column> = (0..self.columns.len())
            .filter(|column| !shown.contains(column))
            .map(|at| &self.columns[at])
            .collect();
        left.sort_by_key(|column| column.rank);
        left.into_iter().map(|column| column.name).collect()
    }

    /// Whether these columns have room side by side.
    pub fn fits(&self, columns: &[usize], width: usize) -> bool {
        let least: usize = columns.iter().map(|column| self.least(*column) + GAP).sum();
        least <= width.saturating_add(GAP)
    }

    /// The cells of a column, its name among them.
    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        let cells = self.rows.iter().filter_map(move |row| row.cells.get(column));
        cells.map(String::as_str).chain([self.columns[column].name])
    }

    /// Minimum width of a column.
    fn least(&self, column: usize) -> usize {
        if !self.columns[column].flows {
            return self.natural(column);
        }
        let words = self.cells(column).flat_map(words);
        words.map(|word| word.trim().chars().count()).max().unwrap_or(0)
    }

    /// Width of a column in which no cell goes on in another line.
    fn natural(&self, column: usize) -> usize {
        self.cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    /// The widths of these columns: what there is to spare goes to those that want more.
    fn widths(&self, columns: &[usize], width: usize) -> Vec<usize> {
        let mut least: Vec<usize> = columns.iter().map(|column| self.least(*column)).collect();
        // One long word makes no line of sentences longer than the terminal: it has a line of its own.
        let gaps = GAP * columns.len().saturating_sub(1);
        let mut over = (least.iter().sum::<usize>() + gaps).saturating_sub(width);
        for (least, _) in least.iter_mut().zip(columns).filter(|(_, column)| self.columns[**column].flows) {
            let cut = over.min(least.saturating_sub(NARROW));
            *least -= cut;
            over -= cut;
        }
        let wanted: Vec<usize> = columns
            .iter()
            .zip(&least)
            .map(|(column, least)| self.natural(*column).saturating_sub(*least))
            .collect();
        let taken: usize = least.iter().sum::<usize>() + gaps;
        let (all, spare) = (wanted.iter().sum::<usize>(), width.saturating_sub(taken));
        let more = |wanted: &usize| if all <= spare { *wanted } else { wanted * spare / all.max(1) };
        least.iter().zip(&wanted).map(|(least, wanted)| least + more(wanted)).collect()
    }

    /// These columns, in lines of at most this width where no word is wider.
    pub fn draw(&self, columns: &[usize], width: usize) -> String {
        let widths = self.widths(columns, width);
        let header: Vec<String> =
            columns.iter().map(|column| self.columns[*column].name.to_uppercase()).collect();
        let mut lines = vec![line(header.iter().map(String::as_str).zip(&widths), None)];
        for row in &self.rows {
            let of = |column: &usize| row.cells.get(*column).map_or("", String::as_str);
            let cells: Vec<Vec<String>> =
                columns.iter().zip(&widths).map(|(column, width)| folded(of(column), "", *width)).collect();
            let style = row.style.and_then(|(column, style)| {
                columns.iter().position(|shown| *shown == column).map(|at| (at, style))
            });
            for number in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                let part = cells.iter().map(|cell| cell.get(number).map_or("", String::as_str));
                lines.push(line(part.zip(&widths), style));
            }
        }
        lines.join("\n")
    }
}

/// Cells side by side.
fn line<'a>(cells: impl Iterator<Item = (&'a str, &'a usize)>, style: Option<(usize, Style)>) -> String {
    let mut out = String::new();
    let mut blank = 0;
    for (number, (cell, width)) in cells.enumerate() {
        if !cell.is_empty() {
            out.push_str(&" ".repeat(blank));
            blank = 0;
            match style {
                Some((column, style)) if column == number => out.push_str(&styled(style, cell)),
                _ => out.push_str(cell),
            }
        }
        blank += width.saturating_sub(cell.chars().count()) + GAP;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Table {
        let mut table =
            Table::new(vec![Column::whole("id", 0), Column::whole("state", 2), Column::prose("why", 1)]);
        table.add_row(["r-1".to_owned(), "held".to_owned(), "somebody must look at it".to_owned()]);
        table.add_row(["r-22".to_owned(), "revoked".to_owned(), "-".to_owned()]);
        table
    }

    #[test]
    fn the_least_important_columns_are_left_out_first() {
        let table = two();
        let shown = |width| table.shown(width);
        assert_eq!(shown(80), [0, 1, 2]);
        assert_eq!(shown(23), [0, 1, 2]);
        assert_eq!(shown(22), [0, 2]);
        assert_eq!(shown(14), [0, 2]);
        assert_eq!(shown(13), [0]);
        assert_eq!(shown(1), [0]);
        assert_eq!(table.left_out(&shown(13)), ["why", "state"]);
        assert_eq!(table.left_out(&shown(80)), [""; 0]);
    }

    #[test]
    fn a_word_that_is_wider_than_its_column_has_a_line_of_its_own() {
        let mut table = table(&["time", "what"]);
        let long = "x".repeat(60);
        table.add_row(["12:00".to_owned(), format!("it saw {long} and then it went on for a while")]);
        let drawn = table.draw(&[0, 1], 40);
        let wide: Vec<&str> = drawn.lines().filter(|line| line.chars().count() > 40).collect();
        assert_eq!(wide, [format!("       {long}")]);
        assert!(drawn.contains("and then it went on"), "{drawn}");
    }

    #[test]
    fn a_cell_goes_on_below_itself_and_no_word_is_broken() {
        let table = two();
        assert_eq!(
            table.draw(&[0, 2], 18),
            "ID    WHY\nr-1   somebody\n      must look at\n      it\nr-22  -"
        );
        for width in 14..60 {
            let drawn = table.draw(&[0, 2], width);
            assert!(drawn.lines().all(|line| line.chars().count() <= width), "{width}\n{drawn}");
        }
    }
}
