/** The accent hues by the number the workspace keeps, as a person names them. tokens.css has the angles. */
export const HUE_NAMES = ['Blue', 'Violet', 'Pink', 'Red', 'Orange', 'Olive', 'Green', 'Teal'] as const
