//! JSON Pointers (RFC 6901).

use super::PatchProblem;

/// The names and indexes of a pointer, unescaped.
pub(super) fn tokens(text: &str) -> Result<Vec<String>, PatchProblem> {
    let Some(rest) = text.strip_prefix('/') else {
        return if text.is_empty() { Ok(Vec::new()) } else { Err(PatchProblem::Pointer) };
    };
    rest.split('/').map(unescaped).collect()
}

fn unescaped(token: &str) -> Result<String, PatchProblem> {
    let mut text = String::with_capacity(token.len());
    let mut letters = token.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '~' => match letters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(PatchProblem::Pointer),
            },
            letter => letter,
        });
    }
    Ok(text)
}

/// An index of an array: digits without zeros before them.
pub(super) fn index(token: &str) -> Result<usize, PatchProblem> {
    let is_index =
        token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    token.parse().ok().filter(|_| is_index).ok_or(PatchProblem::Nothing)
}
