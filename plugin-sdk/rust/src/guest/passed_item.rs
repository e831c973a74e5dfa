//! Splits an item into the parameters of `call`, for [`worker`](macro@crate::worker).

use std::mem;

use super::positions::Positions;
use crate::{
    Argument, Error, Failure, FromItem, FromParameter,
    context::{self, Format, Passing},
    names::Names,
};

/// Returns the way in which the run passes arguments, if a `call` with these parameters supports
/// it.
///
/// # Errors
///
/// Fails if the way is [`Passing::Single`] and there are several parameters.
pub fn passing(parameters: &[&'static str]) -> Result<Passing, Error> {
    match context::argument_passing() {
        Passing::Single if parameters.len() > 1 => Err(Error::new(format_args!(
            "`call` has {} parameters, {}: use `--args args` if an item is a JSON array of them, \
             or `--args kwargs` if it is a JSON object",
            parameters.len(),
            Names(parameters)
        ))),
        passing => Ok(passing),
    }
}

/// An item, and the way in which the run passes it.
#[derive(Debug)]
pub struct PassedItem<'a> {
    item: &'a mut [u8],
    format: Format,
    passing: Passing,
}

impl<'a> FromItem<'a> for PassedItem<'a> {
    fn from_item(item: &'a mut [u8], format: Format) -> Result<Self, Failure> {
        Self::from_passed(item, format, Passing::Single)
    }

    fn from_passed(item: &'a mut [u8], format: Format, passing: Passing) -> Result<Self, Failure> {
        Ok(Self { item, format, passing })
    }
}

impl<'a> PassedItem<'a> {
    /// Finds the value for each parameter.
    ///
    /// # Errors
    ///
    /// Fails if the item is not the expected array or object.
    pub fn spread<const N: usize>(
        self,
        parameters: [&'static str; N],
    ) -> Result<[GivenArgument<'a>; N], Failure> {
        let mut given = parameters.map(|name| GivenArgument { name, argument: None });
        let positions = match self.passing {
            Passing::Single => {
                if let Some(first) = given.first_mut() {
                    first.argument = Some(Argument::item(self.item, self.format));
                }
                return Ok(given);
            }
            Passing::Args => Positions::find_elements(self.item, &parameters)?,
            Passing::Kwargs => Positions::find_members(self.item, &parameters)?,
        };
        let mut rest = self.item;
        let mut start = 0;
        for position in positions.in_order() {
            let (_, tail) = mem::take(&mut rest).split_at_mut(position.start - start);
            let (value, after) = tail.split_at_mut(position.end - position.start);
            given[position.parameter].argument = Some(Argument::value(value));
            (rest, start) = (after, position.end);
        }
        Ok(given)
    }
}

/// A parameter's name and its argument, which is `None` if the item has no value for the parameter.
#[derive(Debug)]
pub struct GivenArgument<'a> {
    name: &'static str,
    argument: Option<Argument<'a>>,
}

impl<'a> GivenArgument<'a> {
    /// Reads the value of the parameter.
    ///
    /// # Errors
    ///
    /// Fails if the value is missing or does not fit the type. The message names the parameter.
    pub fn read<T: FromParameter<'a>>(self) -> Result<T, Failure> {
        let name = self.name;
        match self.argument {
            None => T::missing()
                .ok_or_else(|| Failure::bad_item(format_args!("parameter `{name}` is missing"))),
            Some(argument) => T::from_argument(argument).map_err(|failure| match failure {
                Failure::BadItem(reason) => {
                    Failure::BadItem(format!("parameter `{name}`: {reason}"))
                }
                Failure::Refused(reason) => {
                    Failure::Refused(format!("parameter `{name}`: {reason}"))
                }
            }),
        }
    }
}
