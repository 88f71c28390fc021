/** The parts of the vendored libraries that the interface uses, as loosely typed as their callers need. */

interface Ref<T> {
  value: T;
}

export function ref<T>(value: T): Ref<T>;
export function ref<T = any>(): Ref<T | undefined>;
export function shallowRef<T>(value: T): Ref<T>;
export function shallowRef<T = any>(): Ref<T | undefined>;
export function reactive<T extends object>(value: T): any;
export function shallowReactive<T extends object>(value: T): any;
export function toRaw<T>(value: T): T;
export function computed<T>(get: () => T): { readonly value: T };
export function watch(source: any, run: (value: any, before: any) => void, options?: object): () => void;
export function watchEffect(run: () => void): () => void;
export function nextTick(run?: () => void): Promise<void>;
export function onMounted(run: () => void): void;
export function onUpdated(run: () => void): void;
export function onBeforeUnmount(run: () => void): void;
export function createApp(component: any, props?: any): any;
export function h(type: any, props?: any, children?: any): any;

// AG Grid, ECharts and CodeMirror are loaded in one module each, which takes what it needs.
declare const anything: any;
export { anything as AllCommunityModule, anything as ModuleRegistry, anything as createGrid };
export { anything as init, anything as use };
export { anything as PostgreSQL, anything as sql };
export default anything;
