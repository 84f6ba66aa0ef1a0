/** What the records mean. Raised, with a migration, whenever an older Elsewhere would misread them; that one then only looks (rule SE60). */
export const SCHEMA_VERSION = 1
