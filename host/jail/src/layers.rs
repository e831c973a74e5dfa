//! The layers of a jail, with the kernel's answer to each.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{JailError, JailLayer, JailLevel, LayerNeed};

/// The protection by the empty root if Landlock is missing. In that case, a path with `..` leads
/// from a granted directory to the host's files.
const ROOT_WITHOUT_LANDLOCK: &str =
    "paths of the host, if no directory is granted; otherwise nothing, as Landlock is missing";

/// The layers of the jail that a process has tried to use, each with the kernel's answer.
/// `Processes::layers` of mtl-host returns them.
///
/// ```
/// use mtl_host::isolation::{JailLayer, JailLayers, LayerNeed};
///
/// // Nothing was tried.
/// let layers = JailLayers::default();
/// assert_eq!(layers.get(JailLayer::Seccomp), None);
/// assert_eq!(layers.missing(LayerNeed::Required).next(), None);
/// assert_eq!(layers.missing_with_dirs(LayerNeed::Strict).next(), None);
/// assert_eq!(layers.protects(JailLayer::Landlock), "files that were not granted");
/// assert_eq!(layers.iter().count(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JailLayers(Vec<(JailLayer, LayerStatus)>);

/// The kernel's answer to the attempt to use a layer.
///
/// ```
/// use mtl_host::isolation::LayerStatus;
///
/// assert_eq!(LayerStatus::Present.to_string(), "present");
/// assert_eq!(LayerStatus::Missing("not permitted".into()).to_string(), "not permitted");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LayerStatus {
    /// The layer is in force.
    Present,
    /// The jail does not use the layer, for this reason.
    Unused(String),
    /// The layer is present if no directory is granted. If a directory is granted, the layer is
    /// missing, for this reason.
    WithoutDirs(String),
    /// The machine lacks the layer, for this reason.
    Missing(String),
}

impl JailLayers {
    /// Returns each layer that was tried, with the answer.
    pub fn iter(&self) -> impl Iterator<Item = (JailLayer, &LayerStatus)> {
        self.0.iter().map(|(layer, answer)| (*layer, answer))
    }

    /// Returns the answer to a layer, if it was tried.
    #[must_use]
    pub fn get(&self, layer: JailLayer) -> Option<&LayerStatus> {
        self.iter().find_map(|(tried, answer)| (tried == layer).then_some(answer))
    }

    /// Returns the layers with this need that the machine lacks. A run with a granted directory may
    /// lack more layers: see [`missing_with_dirs`](Self::missing_with_dirs).
    pub fn missing(&self, need: LayerNeed) -> impl Iterator<Item = JailLayer> {
        self.of_need(need, |answer| matches!(answer, LayerStatus::Missing(_)))
    }

    /// Returns the layers of this need that a run with a granted directory lacks.
    pub fn missing_with_dirs(&self, need: LayerNeed) -> impl Iterator<Item = JailLayer> {
        self.of_need(need, |answer| {
            matches!(answer, LayerStatus::Missing(_) | LayerStatus::WithoutDirs(_))
        })
    }

    fn of_need(
        &self,
        need: LayerNeed,
        has_status: impl Fn(&LayerStatus) -> bool,
    ) -> impl Iterator<Item = JailLayer> {
        let matches = move |(layer, answer): &(JailLayer, &LayerStatus)| {
            layer.need() == need && has_status(answer)
        };
        self.iter().filter(matches).map(|(layer, _)| layer)
    }

    /// Returns a phrase that states what a layer protects on this machine. If a layer relies on a
    /// missing layer, it protects less than [`JailLayer::protects`] states.
    #[must_use]
    pub fn protects(&self, layer: JailLayer) -> &'static str {
        match (layer, self.get(JailLayer::Landlock)) {
            (JailLayer::EmptyRoot, Some(LayerStatus::Missing(_))) => ROOT_WITHOUT_LANDLOCK,
            _ => layer.protects(),
        }
    }

    /// Adds the answer to a layer.
    #[doc(hidden)]
    pub fn add_answer(&mut self, layer: JailLayer, answer: LayerStatus) {
        self.0.push((layer, answer));
    }

    /// Sorts the layers into the order of [`JailLayer`].
    #[doc(hidden)]
    pub fn sort(&mut self) {
        self.0.sort_by_key(|(layer, _)| *layer as usize);
    }

    /// Checks that every layer that `jail` needs is present.
    ///
    /// # Errors
    ///
    /// Fails with the first missing layer.
    #[doc(hidden)]
    pub fn check(&self, jail: JailLevel) -> Result<(), JailError> {
        let first_missing = |need| self.missing(need).next();
        match (jail, first_missing(LayerNeed::Required), first_missing(LayerNeed::Strict)) {
            (JailLevel::Required | JailLevel::Strict, Some(layer), _) => {
                Err(JailError::MissingLayer(layer))
            }
            (JailLevel::Strict, None, Some(layer)) => {
                let answer = self.get(layer).map(ToString::to_string).unwrap_or_default();
                Err(JailError::MissingStrictLayer { layer, answer })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for LayerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("present"),
            Self::Unused(reason) | Self::WithoutDirs(reason) | Self::Missing(reason) => {
                f.write_str(reason)
            }
        }
    }
}

impl LayerStatus {
    /// Converts the result of an attempt to an answer.
    #[doc(hidden)]
    pub fn from_result<E: fmt::Display>(result: Result<(), E>) -> Self {
        result.map_or_else(|error| Self::Missing(error.to_string()), |()| Self::Present)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jail_is_refused_if_a_needed_layer_is_missing() {
        let missing = || LayerStatus::Missing("not permitted".into());
        let mut layers = JailLayers::default();
        layers.add_answer(JailLayer::StoreBypass, missing());
        layers.add_answer(JailLayer::UserNamespace, LayerStatus::Unused("root needs none".into()));
        assert!(
            [JailLevel::Required, JailLevel::BestEffort, JailLevel::Strict]
                .into_iter()
                .all(|jail| layers.check(jail).is_ok())
        );
        layers.add_answer(JailLayer::EmptyRoot, missing());
        assert!(layers.check(JailLevel::Required).is_ok());
        let error = layers.check(JailLevel::Strict).unwrap_err().to_string();
        assert_eq!(
            error,
            "the strict jail needs a mount namespace with an empty root: not permitted"
        );
        layers.add_answer(JailLayer::Seccomp, missing());
        assert!(layers.check(JailLevel::BestEffort).is_ok());
        let error = layers.check(JailLevel::Required).unwrap_err();
        assert!(matches!(error, JailError::MissingLayer(JailLayer::Seccomp)), "{error}");
        layers.sort();
        assert_eq!(layers.iter().next(), Some((JailLayer::Seccomp, &missing())));
    }
}
