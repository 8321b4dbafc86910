//! Tables: a caption, scoped headers, an empty state, and a shape for narrow screens.

use maud::{Markup, html};

use crate::{Lang, Text, empty};

/// How the cells of a column are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Align {
    /// Text, broken between words.
    Text,
    /// Text that must stay on one line, such as a date.
    Keep,
    /// Numbers, to the right.
    Number,
}

impl Align {
    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Keep => Some("i-cell-keep"),
            Self::Number => Some("i-cell-number"),
        }
    }
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Its header.
    pub label: &'a str,
    /// How its cells are set.
    pub align: Align,
}

/// What a table does where it does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Narrow {
    /// Each row becomes a block and each cell names its column.
    Stack,
    /// The table scrolls sideways: where columns are compared with one another.
    Scroll,
}

/// A table. The first cell of a row is its header.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// What the table shows.
    pub caption: &'a str,
    /// Whether the caption is seen, or only heard because a heading already says it.
    pub caption_shown: bool,
    /// The columns.
    pub columns: &'a [Column<'a>],
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Markup>>,
    /// What is said when there are no rows; `None` for the general sentence.
    pub empty: Option<&'a str>,
    /// What happens on narrow screens.
    pub narrow: Narrow,
    /// Whether rows are low and small: for tables behind charts.
    pub dense: bool,
}

impl<'a> Table<'a> {
    /// A table that stacks on narrow screens, with its caption heard only.
    #[must_use]
    pub const fn new(caption: &'a str, columns: &'a [Column<'a>], rows: Vec<Vec<Markup>>) -> Self {
        let narrow = Narrow::Stack;
        Self { caption, caption_shown: false, columns, rows, empty: None, narrow, dense: false }
    }

    /// The table. Roles are written out because CSS that stacks a table takes its meaning away in some browsers.
    #[must_use]
    pub fn html(&self, lang: Lang) -> Markup {
        if self.rows.is_empty() {
            return empty(self.empty.unwrap_or(Text::EmptyTable.get(lang)));
        }
        let scrolls = self.narrow == Narrow::Scroll;
        html! {
            div .krds-table-wrap .i-stack[!scrolls] .i-scroll[scrolls] .i-table--dense[self.dense]
                tabindex=[scrolls.then_some("0")] role=[scrolls.then_some("region")]
                aria-label=[scrolls.then_some(self.caption)] {
                table .tbl .col .data role="table" {
                    caption .i-hidden[!self.caption_shown] { (self.caption) }
                    thead role="rowgroup" {
                        tr role="row" {
                            @for column in self.columns {
                                th scope="col" role="columnheader" class=[column.align.class()] { (column.label) }
                            }
                        }
                    }
                    tbody role="rowgroup" { @for row in &self.rows { (self.row(row)) } }
                }
            }
        }
    }

    fn row(&self, cells: &[Markup]) -> Markup {
        html! {
            tr role="row" {
                @for (index, (cell, column)) in cells.iter().zip(self.columns).enumerate() {
                    @if index == 0 {
                        th scope="row" role="rowheader" class=[column.align.class()] data-label=(column.label) { div { (cell) } }
                    } @else {
                        td role="cell" class=[column.align.class()] data-label=(column.label) { div { (cell) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'_>; 2] =
        [Column { label: "이름", align: Align::Text }, Column { label: "건수", align: Align::Number }];

    #[test]
    fn a_table_without_rows_says_so() {
        let table =
            Table { empty: Some("찾은 환자가 없습니다."), ..Table::new("환자", &COLUMNS, vec![]) };
        let text = table.html(Lang::Ko).into_string();
        assert!(text.contains("찾은 환자가 없습니다.") && !text.contains("<table"));
    }

    #[test]
    fn headers_are_scoped_and_cells_name_their_column() {
        let rows = vec![vec![html! { "<가>" }, html! { "1" }]];
        let text = Table::new("환자", &COLUMNS, rows).html(Lang::Ko).into_string();
        assert!(
            text.contains("<caption") && text.contains("scope=\"col\"") && text.contains("scope=\"row\"")
        );
        assert!(text.contains("data-label=\"건수\"") && text.contains("&lt;가&gt;"));
    }
}
