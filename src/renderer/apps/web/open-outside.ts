/** In the browser or program the machine uses for pages. It cannot reach back into the desk. */
export function openOutside(url: string): void {
  window.open(url, '_blank', 'noopener,noreferrer')
}
