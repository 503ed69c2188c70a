//! What a piece of text means. A theme gives each meaning a style; nothing in the program names a colour.

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)+) => {
        /// A meaning that a theme styles.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Role {
            $($(#[doc = $doc])+ $variant,)+
        }

        /// Every role with its name in theme files.
        pub const ROLES: &[(Role, &str)] = &[$((Role::$variant, $name),)+];
    };
}

roles! {
    /// The screen itself.
    Text = "text";
    /// The ground behind everything.
    Ground = "ground";
    /// The ground of header, footer and dialogs.
    Surface = "surface";
    /// Text that may be overlooked.
    Muted = "muted";
    /// The name of a value.
    Label = "label";
    /// A heading.
    Title = "title";
    /// A name that matters.
    Strong = "strong";
    /// A frame at rest.
    Border = "border";
    /// The frame that has the keys.
    BorderFocus = "border.focus";
    /// A key to press.
    Key = "key";
    /// A key that does nothing here.
    KeyOff = "key.off";
    /// What draws the eye without alarm.
    Accent = "accent";
    /// The ground of the selected row.
    Selection = "selection";
    /// The mark before the selected row.
    Cursor = "cursor";
    /// What the filter matched; a text field.
    Match = "match";
    /// Breached.
    Breached = "verdict.breached";
    /// Disputed.
    Disputed = "verdict.disputed";
    /// Degraded.
    Degraded = "verdict.degraded";
    /// Vacuous.
    Vacuous = "verdict.vacuous";
    /// Unknown.
    Unknown = "verdict.unknown";
    /// Unproven.
    Unproven = "verdict.unproven";
    /// Waived.
    Waived = "verdict.waived";
    /// Held when tried.
    Holds = "verdict.holds";
    /// Does not apply.
    Na = "verdict.na";
    /// Critical.
    SevCritical = "severity.critical";
    /// High.
    SevHigh = "severity.high";
    /// Medium.
    SevMedium = "severity.medium";
    /// Low.
    SevLow = "severity.low";
    /// Information.
    SevInfo = "severity.info";
    /// A gauge with room.
    GaugeOk = "gauge.ok";
    /// A gauge that fills.
    GaugeWarn = "gauge.warn";
    /// A gauge that is nearly full, full or over.
    GaugeFull = "gauge.full";
    /// The empty part of a gauge.
    GaugeTrack = "gauge.track";
    /// A cell that was crossed against what is declared.
    HeatCrossed = "heat.crossed";
    /// A cell open on every port.
    HeatEvery = "heat.every";
    /// A cell open on some ports.
    HeatSome = "heat.some";
    /// A cell blocked for today's pods only.
    HeatToday = "heat.today";
    /// A cell of which nothing can be said.
    HeatUndefined = "heat.undefined";
    /// A cell blocked by declaration.
    HeatDeclared = "heat.declared";
    /// A cell blocked, and proved to be.
    HeatProved = "heat.proved";
    /// A tenant's cell with itself.
    HeatOwn = "heat.own";
    /// A cell open as tenants need it.
    HeatMeant = "heat.meant";
    /// The cell under the cursor.
    HeatCursor = "heat.cursor";
    /// A line that a plan adds.
    DiffAdd = "diff.add";
    /// A line that a plan removes.
    DiffDel = "diff.del";
    /// A line that stays.
    DiffCtx = "diff.ctx";
    /// A source that is followed.
    Live = "fresh.live";
    /// A source that is being reached.
    Waiting = "fresh.waiting";
    /// A source that we lost.
    Stale = "fresh.stale";
    /// A source we may not read.
    Denied = "fresh.denied";
    /// A source that can't be reached.
    Down = "fresh.down";
    /// Observe mode.
    ModeObserve = "mode.observe";
    /// Probe mode.
    ModeProbe = "mode.probe";
    /// Fix mode.
    ModeFix = "mode.fix";
    /// Simulated servers.
    Simulated = "mode.simulated";
    /// The screen is held.
    Frozen = "mode.frozen";
    /// Names are replaced.
    Redacted = "mode.redacted";
    /// A note.
    NoteInfo = "note.info";
    /// A warning.
    NoteWarn = "note.warn";
    /// A failure.
    NoteError = "note.error";
}

impl Role {
    /// The role of a verdict.
    pub const fn of(verdict: crate::posture::verdict::Verdict) -> Self {
        use crate::posture::verdict::Verdict as V;
        match verdict {
            V::Breached => Self::Breached,
            V::Disputed => Self::Disputed,
            V::Degraded => Self::Degraded,
            V::Vacuous => Self::Vacuous,
            V::Unknown => Self::Unknown,
            V::Unproven => Self::Unproven,
            V::Waived => Self::Waived,
            V::Holds => Self::Holds,
            V::NotApplicable => Self::Na,
        }
    }

    /// The role of a severity.
    pub const fn severity(severity: crate::posture::catalogue::Severity) -> Self {
        use crate::posture::catalogue::Severity as S;
        match severity {
            S::Critical => Self::SevCritical,
            S::High => Self::SevHigh,
            S::Medium => Self::SevMedium,
            S::Low => Self::SevLow,
            S::Info => Self::SevInfo,
        }
    }

    /// The role of a gauge that is so full, in thousandths.
    pub const fn gauge(permille: u32) -> Self {
        match permille {
            ..750 => Self::GaugeOk,
            750..900 => Self::GaugeWarn,
            _ => Self::GaugeFull,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_names_are_unique() {
        for (i, (role, name)) in ROLES.iter().enumerate() {
            assert_eq!(*role as usize, i, "{name}");
            assert!(ROLES.iter().skip(i + 1).all(|(_, other)| other != name), "{name}");
        }
    }
}
