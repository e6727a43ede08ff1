// [64,4096] times [4096,128]: the second launch, which adds the shares of k: gemm.addShares.vec4f
// shares:[S,E] -> c:[E]
struct Params { size: u32, shares: u32, row: u32,  }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> shares: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = gid.y * (groups.x * 64u) + gid.x;
  if (i >= p.size) { return; }
  var sum = shares[i];
  for (var s = 1u; s < p.shares; s++) { sum += shares[s * p.size + i]; }
  c[(i * 4u) >> 2u] = sum;
}
