//! Nested objects of JSON become items with several keys, as `path "a" { }` has them in HCL: an object that holds nothing but objects is
//! joined with each of them, and so is a list of objects. This goes as deep as it can, so that a block whose every value is an object
//! loses its keys to its pattern.

use super::policy::Refused;
use super::tree::{Item, Key, Val};

/// More keys than this are not copied: nesting and width multiply here.
const MOST_KEYS: usize = 1 << 20;

/// The items with nested objects joined, in the order written. O(items × depth).
pub(super) fn flatten(items: Vec<Item<'_>>) -> Result<Vec<Item<'_>>, Refused> {
    let mut copied = 0;
    level(items, &mut copied)
}

fn level<'a>(items: Vec<Item<'a>>, copied: &mut usize) -> Result<Vec<Item<'a>>, Refused> {
    let mut done: Vec<Item<'a>> = Vec::with_capacity(items.len());
    // taken from the end and turned round afterwards: what is joined must come out in order
    let mut left = items;
    while let Some(item) = left.pop() {
        match item.val {
            Val::Object(inner) if !inner.is_empty() && inner.iter().all(|inner| matches!(inner.val, Val::Object(_))) => {
                for one in inner {
                    let keys = join(&item.keys, one.keys, copied)?;
                    left.push(Item { keys, val: one.val });
                }
            }
            Val::List(inner) if !inner.is_empty() && inner.iter().all(|inner| matches!(inner, Val::Object(_))) => {
                for val in inner {
                    let keys = join(&item.keys, Vec::new(), copied)?;
                    left.push(Item { keys, val });
                }
            }
            val => done.push(Item { keys: item.keys, val }),
        }
    }
    done.reverse();
    done.into_iter().map(|item| Ok(Item { val: within(item.val, copied)?, keys: item.keys })).collect()
}

fn within<'a>(val: Val<'a>, copied: &mut usize) -> Result<Val<'a>, Refused> {
    Ok(match val {
        Val::Object(items) => Val::Object(level(items, copied)?),
        Val::List(list) => Val::List(list.into_iter().map(|val| within(val, copied)).collect::<Result<_, _>>()?),
        literal @ Val::Literal(_) => literal,
    })
}

fn join<'a>(outer: &[Key<'a>], inner: Vec<Key<'a>>, copied: &mut usize) -> Result<Vec<Key<'a>>, Refused> {
    *copied = copied.saturating_add(outer.len()).saturating_add(inner.len());
    if *copied > MOST_KEYS {
        return Err(Refused::at(outer.first().map_or(0, |key| key.line), "more nested keys than partywall reads"));
    }
    let mut keys = Vec::with_capacity(outer.len().saturating_add(inner.len()));
    keys.extend_from_slice(outer);
    keys.extend(inner);
    Ok(keys)
}
