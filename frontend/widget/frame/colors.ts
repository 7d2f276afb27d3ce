/** Readable ink on any brand colour, by WCAG 2 relative luminance. */

export const BRAND = "#7a12d4";

function luminance(color: string): number {
  const channel = (at: number): number => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

/** `color` if it is #rrggbb, else the brand's. */
export function brand(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color) ? color : BRAND;
}

/** White or near black, whichever contrasts more with `color`. */
export function inkOn(color: string): string {
  const light = luminance(color);
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#15111c";
}
