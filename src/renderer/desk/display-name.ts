const BRANDS: readonly (readonly [RegExp, string])[] = [
  [/Electron\//, 'Elsewhere'],
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chromium\//, 'Chromium'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]

/**
 * What other displays call this one, e.g. "Chrome on kitchen".
 *
 * @param userAgent   navigator.userAgent
 * @param deviceName  name of the machine, if known from an earlier visit
 */
export function displayName(userAgent: string, deviceName: string | undefined): string {
  const brand = BRANDS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'a browser'
  return (deviceName ? `${brand} on ${deviceName}` : brand).slice(0, 80)
}
