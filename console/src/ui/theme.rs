//! Colours, fonts and distances.
//!
//! Deep blue and paper white as ground, one accent (the yellow of flag G), red only for what is
//! live and what stops.

use std::sync::Arc;

use egui::style::{Selection, WidgetVisuals, Widgets};
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke,
    Style, TextStyle, Visuals, vec2,
};

/// Deep blue: the bars, and text on paper.
pub const SEA: Color32 = Color32::from_rgb(0x0b, 0x2a, 0x4a);
/// Deep blue in the shade: behind the picture.
pub const SEA_DARK: Color32 = Color32::from_rgb(0x06, 0x1a, 0x30);
/// Deep blue in the light: buttons on the bars.
pub const SEA_LIGHT: Color32 = Color32::from_rgb(0x1b, 0x45, 0x70);
/// Paper white: the ground.
pub const PAPER: Color32 = Color32::from_rgb(0xf4, 0xf1, 0xea);
/// White: cards and fields.
pub const CARD: Color32 = Color32::WHITE;
/// Text of less weight on paper and cards.
pub const INK_SOFT: Color32 = Color32::from_rgb(0x4b, 0x5b, 0x6d);
/// Text of less weight on the bars.
pub const FOAM: Color32 = Color32::from_rgb(0xbf, 0xcf, 0xdf);
/// Borders.
pub const LINE: Color32 = Color32::from_rgb(0xd8, 0xd2, 0xc5);
/// The accent.
pub const ACCENT: Color32 = Color32::from_rgb(0xf5, 0xbd, 0x2b);
/// Live and stop, nothing else.
pub const RED: Color32 = Color32::from_rgb(0xc6, 0x20, 0x26);
/// A level of trust that was proven.
pub const GREEN: Color32 = Color32::from_rgb(0x12, 0x70, 0x4b);

/// Corners of buttons, fields and cards, in points.
pub const RADIUS: u8 = 6;

/// The bold font.
pub fn bold() -> FontFamily {
    FontFamily::Name("bold".into())
}

/// The bold font in a size.
pub fn bold_font(size: f32) -> FontId {
    FontId::new(size, bold())
}

/// Gives an egui context the console's look.
pub fn apply(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    ctx.set_theme(egui::Theme::Light);
    ctx.set_style_of(egui::Theme::Light, Arc::new(style()));
    // A frame is run once: a second run would send its commands twice.
    ctx.options_mut(|options| options.max_passes = std::num::NonZeroUsize::MIN);
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let mut add = |name: &str, data: &'static [u8], families: &[FontFamily]| {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(data)));
        for family in families {
            fonts.families.entry(family.clone()).or_default().push(name.into());
        }
    };
    add("sans", dejavu::sans::regular(), &[FontFamily::Proportional]);
    add("sans bold", dejavu::sans::bold(), &[bold()]);
    add("mono", dejavu::sans_mono::regular(), &[FontFamily::Monospace]);
    fonts
}

fn style() -> Style {
    let sans = |size| FontId::new(size, FontFamily::Proportional);
    let mut style = Style {
        text_styles: [
            (TextStyle::Small, sans(12.0)),
            (TextStyle::Body, sans(14.0)),
            (TextStyle::Button, sans(14.0)),
            (TextStyle::Heading, bold_font(22.0)),
            (TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace)),
        ]
        .into(),
        visuals: visuals(),
        ..Style::default()
    };
    style.spacing.item_spacing = vec2(8.0, 8.0);
    style.spacing.button_padding = vec2(14.0, 8.0);
    style.spacing.interact_size.y = 32.0;
    style.spacing.menu_margin = Margin::same(6);
    style.interaction.selectable_labels = false;
    style
}

fn visuals() -> Visuals {
    Visuals {
        widgets: widgets(),
        selection: Selection {
            bg_fill: Color32::from_rgb(0xfb, 0xe3, 0xa3),
            stroke: Stroke::new(2.0, SEA),
        },
        override_text_color: None,
        weak_text_color: Some(INK_SOFT),
        hyperlink_color: SEA_LIGHT,
        extreme_bg_color: CARD,
        panel_fill: PAPER,
        window_fill: CARD,
        window_stroke: Stroke::new(1.0, LINE),
        window_corner_radius: CornerRadius::same(10),
        menu_corner_radius: CornerRadius::same(RADIUS),
        window_shadow: shadow(),
        popup_shadow: shadow(),
        ..Visuals::light()
    }
}

/// The shadow of cards and menus.
pub const fn shadow() -> Shadow {
    Shadow { offset: [0, 4], blur: 18, spread: 0, color: Color32::from_black_alpha(28) }
}

fn widgets() -> Widgets {
    let look = |fill, border: Color32, text: Color32, width| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(width, border),
        corner_radius: CornerRadius::same(RADIUS),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let border = Color32::from_rgb(0x8a, 0x96, 0xa3);
    Widgets {
        noninteractive: look(CARD, LINE, SEA, 1.0),
        inactive: look(CARD, border, SEA, 1.0),
        hovered: look(PAPER, SEA, SEA, 1.0),
        active: look(LINE, SEA, SEA, 2.0),
        open: look(PAPER, SEA, SEA, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast as WCAG 2.2 defines it.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let [r, g, b, _] = egui::Rgba::from(color).to_array();
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        (a / b).max(b / a)
    }

    #[test]
    fn every_text_can_be_read() {
        for (text, ground) in [
            (SEA, PAPER),
            (SEA, CARD),
            (SEA, ACCENT),
            (INK_SOFT, PAPER),
            (INK_SOFT, CARD),
            (RED, CARD),
            (RED, PAPER),
            (Color32::WHITE, RED),
            (Color32::WHITE, SEA),
            (Color32::WHITE, SEA_LIGHT),
            (FOAM, SEA),
            (FOAM, SEA_LIGHT),
            (FOAM, SEA_DARK),
            (ACCENT, SEA),
            (GREEN, CARD),
        ] {
            let contrast = contrast(text, ground);
            assert!(contrast >= 4.5, "{text:?} on {ground:?}: {contrast}");
        }
    }
}
