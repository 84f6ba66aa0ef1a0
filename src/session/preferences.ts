import * as z from 'zod'

/** What follows the person and is not a window. Each is one record, so two displays changing different ones both win. */
export const preferenceSchemas = {
  theme: z.enum(['system', 'light', 'dark']),
  reducedMotion: z.enum(['system', 'on', 'off']),
  /** `gradient`: made from the activity's hue; else the wallpaper's own address or a data URL of at most 256 kB. */
  wallpaper: z.string().max(262_144),
  terminalFontPx: z.number().int().min(8).max(40),
  /** Typed letters appear at once on a slow link, underlined until they are confirmed. */
  terminalGuesses: z.boolean(),
  editorFontPx: z.number().int().min(8).max(40),
  editorWrap: z.boolean(),
  /** Offer `beside` first when unlocking. */
  unlockBeside: z.boolean(),
  welcomeDone: z.boolean(),
}

export type Preferences = { readonly [Name in keyof typeof preferenceSchemas]: z.infer<(typeof preferenceSchemas)[Name]> }

export const DEFAULT_PREFERENCES: Preferences = {
  theme: 'system',
  reducedMotion: 'system',
  wallpaper: 'gradient',
  terminalFontPx: 13,
  terminalGuesses: true,
  editorFontPx: 13,
  editorWrap: false,
  unlockBeside: false,
  welcomeDone: false,
}

/** Keys a person chose for a command, e.g. `['Ctrl+K', 'Alt+K']`; an empty list means none at all. */
export const keys = z.array(z.string().min(1).max(60)).max(8)
