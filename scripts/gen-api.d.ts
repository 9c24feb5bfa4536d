export function apiPages(): Promise<Map<string, string>>;
