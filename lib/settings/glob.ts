/** A pattern as `task_routes` and `task_order_by` have it: `*` stands for any characters, `?` for one, all else for itself. */
export function globToRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's')
}
