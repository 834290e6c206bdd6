// Loads an SDF or URDF file with sdformat and prints what it understood as JSON: errors, models,
// links, joints and cameras, with poses in the world frame.
#include <iomanip>
#include <iostream>
#include <sdf/sdf.hh>

using ignition::math::Pose3d;

static const char *separator = "";

static void begin(const char *kind, const std::string &name) {
  std::cout << separator << "\n{\"kind\": \"" << kind << "\", \"name\": " << std::quoted(name);
  separator = ",";
}

static void text(const char *field, const std::string &value) {
  std::cout << ", \"" << field << "\": " << std::quoted(value);
}

static void numbers(const char *field, std::initializer_list<double> values) {
  const char *comma = "";
  std::cout << ", \"" << field << "\": [";
  for (double value : values) { std::cout << comma << value; comma = ", "; }
  std::cout << "]";
}

static void pose(const Pose3d &p) {
  numbers("position", {p.Pos().X(), p.Pos().Y(), p.Pos().Z()});
  numbers("quaternion", {p.Rot().W(), p.Rot().X(), p.Rot().Y(), p.Rot().Z()});
}

template <typename Thing> static Pose3d resolved(const Thing &thing, sdf::Errors &errors) {
  Pose3d found;
  for (const auto &error : thing.SemanticPose().Resolve(found, "__model__"))
    errors.push_back(error);
  return found;
}

static void model(const sdf::Model &m, const Pose3d &origin, sdf::Errors &errors) {
  begin("model", m.Name());
  numbers("static", {double(m.Static())});
  std::cout << "}";
  for (uint64_t i = 0; i < m.LinkCount(); ++i) {
    const sdf::Link &link = *m.LinkByIndex(i);
    const Pose3d placed = origin * resolved(link, errors);
    begin("link", link.Name());
    text("model", m.Name());
    pose(placed);
    numbers("mass", {link.Inertial().MassMatrix().Mass()});
    numbers("collisions", {double(link.CollisionCount())});
    const auto gravity = link.Element() && link.Element()->HasElement("gravity")
                             ? link.Element()->Get<bool>("gravity") : true;
    numbers("gravity", {double(gravity)});
    std::cout << "}";
    for (uint64_t c = 0; c < link.CollisionCount(); ++c) {
      const sdf::Collision &collision = *link.CollisionByIndex(c);
      Pose3d local;
      for (const auto &error : collision.SemanticPose().Resolve(local, link.Name()))
        errors.push_back(error);
      begin("collision", collision.Name());
      text("link", link.Name());
      pose(placed * local);
      if (const sdf::Box *box = collision.Geom()->BoxShape())
        numbers("size", {box->Size().X(), box->Size().Y(), box->Size().Z()});
      const auto surface = collision.Element()->GetElement("surface");
      const auto ode = surface->GetElement("friction")->GetElement("ode");
      numbers("friction", {ode->Get<double>("mu"), ode->Get<double>("mu2")});
      std::cout << "}";
    }
    for (uint64_t s = 0; s < link.SensorCount(); ++s) {
      const sdf::Sensor &sensor = *link.SensorByIndex(s);
      const sdf::Camera *camera = sensor.CameraSensor();
      if (!camera) continue;
      Pose3d local;
      for (const auto &error : sensor.SemanticPose().Resolve(local, link.Name()))
        errors.push_back(error);
      begin("camera", sensor.Name());
      pose(placed * local);
      text("topic", sensor.Topic());
      text("frame", sensor.Element()->Get<std::string>("gz_frame_id"));
      numbers("rate", {sensor.UpdateRate()});
      numbers("horizontal_fov", {camera->HorizontalFov().Radian()});
      numbers("size", {double(camera->ImageHeight()), double(camera->ImageWidth())});
      std::cout << "}";
    }
  }
  for (uint64_t i = 0; i < m.JointCount(); ++i) {
    const sdf::Joint &joint = *m.JointByIndex(i);
    begin("joint", joint.Name());
    text("parent", joint.ParentLinkName());
    text("child", joint.ChildLinkName());
    text("type", joint.Type() == sdf::JointType::REVOLUTE    ? "revolute"
                 : joint.Type() == sdf::JointType::PRISMATIC ? "prismatic"
                 : joint.Type() == sdf::JointType::FIXED     ? "fixed"
                                                             : "other");
    if (const sdf::JointAxis *axis = joint.Axis()) {
      numbers("axis", {axis->Xyz().X(), axis->Xyz().Y(), axis->Xyz().Z()});
      numbers("limits", {axis->Lower(), axis->Upper(), axis->MaxVelocity(), axis->Effort()});
    }
    std::cout << "}";
  }
}

int main(int, char **arguments) {
  sdf::Root root;
  sdf::Errors errors = root.Load(arguments[1]);
  std::cout << std::setprecision(12) << "{\"facts\": [";
  if (root.Model()) model(*root.Model(), root.Model()->RawPose(), errors);
  for (uint64_t w = 0; w < root.WorldCount(); ++w) {
    const sdf::World &world = *root.WorldByIndex(w);
    begin("world", world.Name());
    numbers("step", {world.PhysicsByIndex(0)->MaxStepSize()});
    numbers("gravity", {world.Gravity().X(), world.Gravity().Y(), world.Gravity().Z()});
    numbers("lights", {double(world.LightCount())});
    std::cout << "}";
    for (uint64_t i = 0; i < world.ModelCount(); ++i) {
      const sdf::Model &m = *world.ModelByIndex(i);
      Pose3d origin;
      for (const auto &error : m.SemanticPose().Resolve(origin)) errors.push_back(error);
      model(m, origin, errors);
    }
    for (auto plugin = world.Element()->GetElement("plugin"); plugin;
         plugin = plugin->GetNextElement("plugin")) {
      begin("plugin", plugin->Get<std::string>("name"));
      text("file", plugin->Get<std::string>("filename"));
      std::cout << "}";
    }
  }
  std::cout << "],\n\"errors\": [";
  separator = "";
  for (const auto &error : errors) {
    std::cout << separator << std::quoted(error.Message());
    separator = ", ";
  }
  std::cout << "]}" << std::endl;
}
