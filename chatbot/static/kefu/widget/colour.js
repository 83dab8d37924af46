/** Readable colours for any brand colour (WCAG 2 contrast). Pure. A colour is [red, green, blue], 0 to 255. */

const WHITE = [255, 255, 255];
const BLACK = [16, 18, 22];
const SURFACE = { light: [241, 243, 246], dark: [36, 40, 48] };

/** `on`: text on the brand colour. `ink`: the brand colour, moved until it reads on a bubble of the theme. */
export function palette(brand, theme) {
  const on = contrast(WHITE, brand) >= 3.6 || contrast(WHITE, brand) >= contrast(BLACK, brand) ? WHITE : BLACK;
  const towards = theme === "dark" ? WHITE : BLACK;
  let ink = brand;
  for (let share = 0; share <= 1 && contrast(ink, SURFACE[theme]) < 4.6; share += 0.08) ink = mix(brand, towards, share);
  return { on: css(on), ink: css(ink) };
}

/** Contrast ratio of two colours, 1 to 21. */
export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const mix = (from, to, share) => from.map((value, i) => Math.round(value + (to[i] - value) * share));
const css = (colour) => `rgb(${colour.join(" ")})`;
