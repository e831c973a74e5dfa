//! Numbers and `bool` as results, in JSON. JSON has no infinities and no NaN, so these values
//! become failures.

use super::IntoOutput;
use crate::{Failure, Json, context::Format};

macro_rules! json_outputs {
    ($($type:ty)*) => {$(
        impl IntoOutput for $type {
            const FORMAT: Format = Format::Json;

            fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
            where
                Self: 'b,
            {
                Json(self).into_output(buffer)
            }
        }
    )*};
}

json_outputs! { bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! float_outputs {
    ($($type:ty)*) => {$(
        impl IntoOutput for $type {
            const FORMAT: Format = Format::Json;

            fn into_output<'b>(self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b [u8]>, Failure>
            where
                Self: 'b,
            {
                if self.is_finite() {
                    return Json(self).into_output(buffer);
                }
                Err(Failure::refused(format_args!("the result is `{self}`, which JSON cannot represent")))
            }
        }
    )*};
}

float_outputs! { f32 f64 }
