import type { ImagePlan } from './image-plan.js';

/** What becomes of an image, in the order of the steps: `images are resized to 256 on the shorter side (bilinear), cut to …`. */
export function describePlan(plan: ImagePlan): string {
  const { width, height, shortSide, resizeWidth, resizeHeight, kernel, cut } = plan;
  const target = `${resizeWidth} × ${resizeHeight}`;
  const resized = {
    none: 'not resized',
    short: `resized to ${shortSide} on the shorter side (${kernel})`,
    stretch: `stretched to ${target} (${kernel})`,
    crop: `filled to ${target} (${kernel})`,
    pad: `fitted into ${target} with bars (${kernel})`,
  }[plan.resize];
  const cutText = cut ? [`cut to ${width} × ${height}`] : [];
  const channels = plan.mode === 'L' ? 'gray' : plan.mode === 'RGBA' ? 'rgba' : plan.color;
  return [`images are ${resized}`, ...cutText, `${plan.layout} ${channels}`, valueText(plan)].join(', ');
}

function valueText({ scale, mean, std }: ImagePlan): string {
  const number = (value: number): string => String(Number(value.toPrecision(4)));
  const list = (values: readonly number[]): string =>
    values.every((value) => value === values[0]) ? number(values[0] ?? 0) : values.map(number).join('/');
  const scaled = scale === 1 ? 'values 0 to 255' : `values × ${number(scale)}`;
  const shifted = mean.some((value) => value !== 0) ? `, minus ${list(mean)}` : '';
  return `${scaled}${shifted}${std.some((value) => value !== 1) ? `, by ${list(std)}` : ''}`;
}
